import { CheckpointError, show, UnsupportedError } from '@sd/core';
import { checkLengths, knownRules } from './known-rules.js';
import { isRecord } from './values.js';

/** A token that is found in the text as it is, before any splitting. */
export interface SpecialToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export interface AddedToken extends SpecialToken {
  readonly id: number;
}

/** The parts of a `tokenizer.json` that are used here; `@huggingface/tokenizers` reads the rest. */
export interface TokenizerJson {
  readonly [key: string]: unknown;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: unknown;
  readonly padding?: unknown;
  readonly truncation?: unknown;
  readonly model: {
    readonly [key: string]: unknown;
    readonly type: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly string[])[];
  };
}

/** Checks that a value is an object. Throws a CheckpointError that names the file. */
export function recordOf(value: unknown, file: string, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new CheckpointError('bad-config', file, `${what} is not an object.`);
}

/** Checks that a value is a vocabulary. Throws a CheckpointError that names the file and the token without a valid id. */
export function vocabOf(value: unknown, file: string, what: string): Record<string, number> {
  const vocab = recordOf(value, file, what);
  const tokens = Object.entries(vocab);
  if (tokens.length === 0) throw new CheckpointError('bad-config', file, `${what} has no tokens.`);
  for (const [token, id] of tokens) {
    if (isId(id)) continue;
    throw new CheckpointError(
      'bad-config',
      file,
      `the id of ${show(token)} is ${show(id)}, not an integer from 0 to ${ids - 1}.`,
    );
  }
  return vocab as Record<string, number>;
}

/** The library keeps an array as long as the largest id. */
const ids = 2 ** 24;

/** Whether a value can be a token id. */
export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < ids;
}

/** Checks a parsed `tokenizer.json`. Throws a CheckpointError, or an UnsupportedError for one that is not byte-pair encoding. */
export function checkTokenizerJson(value: unknown, file: string): TokenizerJson {
  const json = recordOf(value, file, 'the file');
  const model = recordOf(json.model, file, 'model');
  if (model.type !== 'BPE') {
    throw new UnsupportedError(
      `${file}: a tokenizer of type ${show(model.type)}; only CLIP's type, BPE, is supported.`,
    );
  }
  const vocab = vocabOf(model.vocab, file, 'model.vocab');
  if (!Array.isArray(model.merges) || !model.merges.every(isMerge)) {
    throw new CheckpointError('bad-config', file, 'model.merges is not a list of pairs of tokens.');
  }
  const added = addedTokensOf(json.added_tokens, file);
  const merges = model.merges as TokenizerJson['model']['merges'];
  checkLengths([...Object.keys(vocab), ...added.map(({ content }) => content)], model, file);
  return {
    ...knownRules(json, file),
    normalizer: json.normalizer ?? null,
    added_tokens: added,
    model: { ...model, type: 'BPE', vocab, merges },
  };
}

/** The `added_tokens` of a `tokenizer.json`; none if it has no such key. */
export function addedTokensOf(value: unknown, file: string): readonly AddedToken[] {
  const added = value ?? [];
  if (
    Array.isArray(added) &&
    added.every((token) => isRecord(token) && typeof token.content === 'string' && isId(token.id))
  ) {
    return added;
  }
  throw new CheckpointError('bad-config', file, 'added_tokens is not a list of tokens with an id and a content.');
}

function isMerge(merge: unknown): boolean {
  if (typeof merge === 'string') return merge.includes(' ');
  return Array.isArray(merge) && merge.length === 2 && merge.every((token) => typeof token === 'string');
}
