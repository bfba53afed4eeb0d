import { CheckpointError, show } from '@sd/core';
import { type AddedToken, isId, recordOf, type SpecialToken } from './tokenizer-json.js';
import { isRecord } from './values.js';

export interface SpecialTokens {
  readonly start: SpecialToken;
  readonly end: SpecialToken;
  readonly unknown: SpecialToken;
  /** Undefined if no file names it: then it is that of `tokenizer.json`, or the end token. */
  readonly pad: SpecialToken | undefined;
}

/** The settings of a tokenizer, with CLIP's defaults. */
export interface TokenizerConfig extends SpecialTokens {
  /** Undefined if no file gives it, or gives the 1e30 that transformers writes for an unknown length. */
  readonly maxLength: number | undefined;
  /** Tokens that the files add to the vocabulary: `added_tokens_decoder`, and those of `added_tokens.json`. */
  readonly added: readonly AddedToken[];
  /** Special tokens without a role: `additional_special_tokens`. New ones get the next ids. */
  readonly additional: readonly SpecialToken[];
}

export interface TokenizerConfigFiles {
  /** The parsed `tokenizer_config.json`. */
  readonly tokenizerConfig?: unknown;
  /** The parsed `special_tokens_map.json`. */
  readonly specialTokensMap?: unknown;
  /** The parsed `added_tokens.json`: the ids of tokens that were added, such as trained words. */
  readonly addedTokens?: unknown;
}

const minLength = 3;
const maxKnownLength = 2 ** 16;

/**
 * Reads `tokenizer_config.json` and `special_tokens_map.json`; CLIP's defaults fill in what they leave out.
 *
 * The map takes precedence, unless the config has `added_tokens_decoder`, as in transformers: SD 2's own files have
 * `<|endoftext|>` in one and `!` in the other, and pad with `!`.
 * Throws a CheckpointError (`bad-config`) that names the file and the entry.
 */
export function readTokenizerConfig(files: TokenizerConfigFiles, folder: string): TokenizerConfig {
  const configFile = `${folder}tokenizer_config.json`;
  const mapFile = `${folder}special_tokens_map.json`;
  const config = recordOf(files.tokenizerConfig ?? {}, configFile, 'the file');
  const map = recordOf(files.specialTokensMap ?? {}, mapFile, 'the file');
  const decoder = config.added_tokens_decoder;

  const token = (name: string): SpecialToken | undefined => {
    const fromMap = readToken(map[name], mapFile, name);
    const fromConfig = readToken(config[name], configFile, name);
    return decoder === undefined ? (fromMap ?? fromConfig) : (fromConfig ?? fromMap);
  };
  return {
    start: token('bos_token') ?? specialToken('<|startoftext|>'),
    end: token('eos_token') ?? specialToken('<|endoftext|>'),
    unknown: token('unk_token') ?? specialToken('<|endoftext|>'),
    pad: token('pad_token'),
    maxLength: readLength(config.model_max_length, configFile),
    added: [
      ...readAddedTokensFile(files.addedTokens, `${folder}added_tokens.json`),
      ...readAddedTokens(decoder, configFile),
    ],
    additional: [
      ...readTokens(map.additional_special_tokens, mapFile, 'additional_special_tokens'),
      ...readTokens(config.additional_special_tokens, configFile, 'additional_special_tokens'),
    ],
  };
}

/** A special token with the flags that transformers gives to a plain string. */
function specialToken(content: string): SpecialToken {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** A special token as a file has it, by its text or with its flags; undefined where it has none. */
export function readToken(value: unknown, file: string, name: string): SpecialToken | undefined {
  if (value === undefined || value === null) return undefined;
  const content = isRecord(value) ? value.content : value;
  if (typeof content !== 'string' || content === '') {
    throw new CheckpointError('bad-config', file, `${name} is neither a token nor an object with its content.`);
  }
  if (!isRecord(value)) return specialToken(content);
  const flag = (key: string) => value[key] === true;
  return {
    content,
    single_word: flag('single_word'),
    lstrip: flag('lstrip'),
    rstrip: flag('rstrip'),
    normalized: flag('normalized'),
    special: true,
  };
}

/** Reads the length of a window; undefined if it is not given, or is the 1e30 that transformers writes for an unknown length. */
export function readLength(value: unknown, file: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minLength) {
    const given = show(value);
    throw new CheckpointError('bad-config', file, `the maximum length is ${given}, not a number of tokens.`);
  }
  return value > maxKnownLength ? undefined : value;
}

function readTokens(value: unknown, file: string, name: string): SpecialToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new CheckpointError('bad-config', file, `${name} is not a list of tokens.`);
  return value.flatMap((entry, i) => readToken(entry, file, `${name}[${i}]`) ?? []);
}

/** Reads what transformers wrote until version 5: each token's id. They are found in any case, as the rest of the text is. */
function readAddedTokensFile(value: unknown, file: string): AddedToken[] {
  return Object.entries(recordOf(value ?? {}, file, 'the file')).map(([content, id]) => {
    if (content === '' || !isId(id)) {
      throw new CheckpointError('bad-config', file, `${JSON.stringify(content)} is not a token with an id.`);
    }
    return { id, ...specialToken(content), normalized: true, special: false };
  });
}

function readAddedTokens(value: unknown, file: string): AddedToken[] {
  if (value === undefined || value === null) return [];
  return Object.entries(recordOf(value, file, 'added_tokens_decoder')).map(([key, entry]) => {
    const id = Number(key);
    const token = readToken(entry, file, `added_tokens_decoder.${key}`);
    if (!isId(id) || token === undefined) {
      throw new CheckpointError('bad-config', file, `added_tokens_decoder.${key} is not a token with an id.`);
    }
    return { id, ...token, special: isRecord(entry) && entry.special === true };
  });
}
