import { CheckpointError, show, UnsupportedError } from '@sd/core';
import { checkLengths, knownRules } from './known-rules.js';
import { type AddedToken, addedTokensOf, recordOf } from './tokenizer-json.js';

/** The parts of T5's `tokenizer.json` that are used here; `@huggingface/tokenizers` reads the rest. */
export interface UnigramJson {
  readonly [key: string]: unknown;
  readonly added_tokens: readonly AddedToken[];
  readonly model: {
    readonly [key: string]: unknown;
    /** Tokens in the order of their ids, each with its log probability. */
    readonly vocab: readonly (readonly [token: string, score: number])[];
  };
}

/** Checks a parsed `tokenizer.json`. Throws a CheckpointError, or an UnsupportedError for one that is not Unigram. */
export function checkUnigramJson(value: unknown, file: string): UnigramJson {
  const json = recordOf(value, file, 'the file');
  const model = recordOf(json.model, file, 'model');
  if (model.type !== 'Unigram') {
    throw new UnsupportedError(
      `${file}: a tokenizer of type ${show(model.type)}; only T5's type, Unigram, is supported.`,
    );
  }
  const { vocab, unk_id: unknown } = model;
  if (!Array.isArray(vocab) || vocab.length === 0 || !vocab.every(isScored)) {
    throw new CheckpointError('bad-config', file, 'model.vocab is not a list of tokens with their scores.');
  }
  if (!Number.isInteger(unknown) || vocab[unknown as number] === undefined) {
    throw new CheckpointError('bad-config', file, `model.unk_id is ${show(unknown)}, not the id of a token.`);
  }
  const added = addedTokensOf(json.added_tokens, file);
  checkLengths([...vocab.map(([token]) => token), ...added.map(({ content }) => content)], model, file);
  return { ...knownRules(json, file), added_tokens: added, model: { ...model, vocab } };
}

function isScored(entry: unknown): boolean {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && Number.isFinite(entry[1]);
}
