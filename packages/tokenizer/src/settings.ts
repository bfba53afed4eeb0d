import { CheckpointError } from '@sd/core';
import type { AddedToken, SpecialToken } from './added-token.js';
import { isId, isRecord, recordOf } from './tokenizer-json.js';

export interface SpecialTokens {
  readonly start: SpecialToken;
  readonly end: SpecialToken;
  readonly unknown: SpecialToken;
  /** Undefined where no file names it: then it is `tokenizer.json`'s, or the end token. */
  readonly pad: SpecialToken | undefined;
}

export interface TokenizerSettings extends SpecialTokens {
  /** Undefined where no file says it, or says what transformers writes for "not known" (1e30). */
  readonly maxLength: number | undefined;
  /** Tokens that the config adds to the vocabulary: `added_tokens_decoder`. */
  readonly added: readonly AddedToken[];
}

export interface SettingsFiles {
  /** The parsed `tokenizer_config.json`. */
  readonly tokenizerConfig?: unknown;
  /** The parsed `special_tokens_map.json`. */
  readonly specialTokensMap?: unknown;
}

const longest = 2 ** 16;
const shortest = 3;

/**
 * What `tokenizer_config.json` and `special_tokens_map.json` say, with CLIP's defaults.
 *
 * The map wins, unless the config has `added_tokens_decoder`, as in transformers: SD 2's own files say
 * `<|endoftext|>` in the one and `!` in the other, and pad with `!`.
 * Throws a CheckpointError (`bad-config`) that names the file and the entry.
 */
export function readSettings(files: SettingsFiles, folder: string): TokenizerSettings {
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
    start: token('bos_token') ?? special('<|startoftext|>'),
    end: token('eos_token') ?? special('<|endoftext|>'),
    unknown: token('unk_token') ?? special('<|endoftext|>'),
    pad: token('pad_token'),
    maxLength: readLength(config.model_max_length, configFile),
    added: readAdded(decoder, configFile),
  };
}

/** A special token as transformers makes it of a plain string. */
function special(content: string): SpecialToken {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** A special token as a file has it, by its text or with its flags; undefined where it has none. */
export function readToken(value: unknown, file: string, name: string): SpecialToken | undefined {
  if (value === undefined || value === null) return undefined;
  const content = isRecord(value) ? value.content : value;
  if (typeof content !== 'string' || content === '') {
    throw new CheckpointError('bad-config', file, `${name} is neither a token nor an object with its content.`);
  }
  if (!isRecord(value)) return special(content);
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

/** A window's length; undefined where there is none, or the 1e30 that transformers writes for "not known". */
export function readLength(value: unknown, file: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < shortest) {
    throw new CheckpointError(
      'bad-config',
      file,
      `the longest length is ${JSON.stringify(value)}, not a number of tokens.`,
    );
  }
  return value > longest ? undefined : value;
}

function readAdded(value: unknown, file: string): AddedToken[] {
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
