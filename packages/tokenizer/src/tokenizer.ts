import { CheckpointError, InvalidOptionError, type Tokenizer } from '@sd/core';
import type { AddedToken, SpecialToken } from './added-token.js';
import { startLibrary } from './library.js';
import { readLength, readSettings, type SettingsFiles, type TokenizerSettings } from './settings.js';
import { checkTokenizerJson, isRecord, type TokenizerJson } from './tokenizer-json.js';
import { windowOf } from './window.js';

const clipMaxLength = 77;

/** CLIP's tokenizer: windows of tokens, and the parts that longer prompts and weights are made from. */
export interface ClipTokenizer extends Tokenizer {
  /** Id of the token that a window begins with: 49406 in SD. */
  readonly startId: number;
  /** Id of the token that ends the text: 49407 in SD. */
  readonly endId: number;
  /** Id of the tokens that fill a window up: 49407 in SD 1, 0 in SD 2. */
  readonly padId: number;
  /** Ids of the text alone, all of them, without start, end or padding. */
  tokenize(text: string): number[];
  /** Ids as text: in lower case and with plain spaces, as CLIP reads it. */
  decode(ids: ArrayLike<number>): string;
}

/** A tokenizer's files, parsed. */
export interface TokenizerFiles extends SettingsFiles {
  /** The parsed `tokenizer.json`. */
  readonly tokenizerJson: unknown;
}

/**
 * CLIP's tokenizer from a `tokenizer.json` as transformers writes it, and what the files beside it say of special
 * tokens and length. Without those, CLIP's own: windows of 77 tokens, padded with the end token.
 *
 * Throws a CheckpointError (`bad-config`) that names the file and what is wrong with it, and an UnsupportedError for a
 * tokenizer that is not byte-pair encoding.
 */
export function createTokenizer(files: TokenizerFiles): ClipTokenizer {
  const json = checkTokenizerJson(files.tokenizerJson, 'tokenizer.json');
  return assembleTokenizer(json, readSettings(files, ''), 'tokenizer.json');
}

/** The same from checked files. `file` is what messages call the one with the vocabulary. */
export function assembleTokenizer(json: TokenizerJson, settings: TokenizerSettings, file: string): ClipTokenizer {
  const padding = isRecord(json.padding) ? json.padding.pad_token : undefined;
  const truncation = isRecord(json.truncation) ? json.truncation.max_length : undefined;
  const pad: SpecialToken = settings.pad ?? {
    ...settings.end,
    ...(typeof padding === 'string' && { content: padding }),
  };
  const added = addTokens(json, settings, [settings.start, settings.end, pad], file);
  const idOf = (token: SpecialToken) => added.find(({ content }) => content === token.content)!.id;
  const startId = idOf(settings.start);
  const endId = idOf(settings.end);
  const padId = idOf(pad);
  const maxLength = settings.maxLength ?? readLength(truncation, file) ?? clipMaxLength;

  const inner = startLibrary({ ...json, added_tokens: added }, {}, file);
  const lowers = JSON.stringify(json.normalizer ?? null).includes('"Lowercase"');

  const tokenize = (text: string): number[] => {
    if (typeof text !== 'string') throw new InvalidOptionError('text', `a string is wanted, not ${typeof text}.`);
    // JavaScript lowers a last sigma to ς, transformers never does.
    return inner.encode(lowers ? text.replaceAll('Σ', 'σ') : text, { add_special_tokens: false }).ids;
  };
  const decode = (ids: ArrayLike<number>): string => (ids.length === 0 ? '' : inner.decode(Array.from(ids)).trim());

  return {
    maxLength,
    startId,
    endId,
    padId,
    tokenize,
    decode,
    encode(text) {
      const all = tokenize(text);
      const kept = all.slice(0, maxLength - 2);
      const ids = windowOf({ maxLength, startId, endId, padId }, kept);
      return { ids, length: kept.length + 2, truncated: decode(all.slice(kept.length)) };
    },
  };
}

/**
 * The tokens that are found in the text as they stand: the file's, the config's, and the special ones. With SD 2's
 * padding a `!` in the text is the padding token: so it was in training, and so it is in transformers.
 */
function addTokens(
  json: TokenizerJson,
  settings: TokenizerSettings,
  specials: readonly SpecialToken[],
  file: string,
): AddedToken[] {
  const added = new Map<string, AddedToken>();
  for (const token of [...json.added_tokens, ...settings.added]) added.set(token.content, token);
  for (const token of specials) {
    if (added.has(token.content)) continue;
    if (!Object.hasOwn(json.model.vocab, token.content)) {
      throw new CheckpointError(
        'bad-config',
        file,
        `has no token ${JSON.stringify(token.content)}, which is to be a special token.`,
      );
    }
    added.set(token.content, { id: json.model.vocab[token.content]!, ...token });
  }
  return [...added.values()].sort((a, b) => a.id - b.id);
}
