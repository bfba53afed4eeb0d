import {
  barrier,
  CheckpointError,
  InvalidOptionError,
  type Source,
  SourceError,
  settleAll,
  show,
  type Tokenizer,
} from '@sd/core';
import { startLibrary } from './library.js';
import { prefixOf, readBytes, readJson } from './read-files.js';
import { checkUnigramJson, type UnigramJson } from './t5-json.js';
import { readToken } from './tokenizer-config.js';
import { recordOf } from './tokenizer-json.js';

/** T5's tokenizer: windows of the text's tokens, then `</s>` and padding. */
export interface T5Tokenizer extends Tokenizer {
  /** Id of the token that ends the text: 1. */
  readonly endId: number;
  /** Id of the padding: 0. */
  readonly padId: number;
  /** All ids of the text, without end token or padding. */
  tokenize(text: string): number[];
  /** The text of ids. */
  decode(ids: ArrayLike<number>): string;
}

export interface T5TokenizerOptions {
  /** Tokens of a window, including the end token: 256 by default, as in Stable Diffusion 3. */
  readonly maxLength?: number;
}

/** The parsed files of a tokenizer. */
export interface T5TokenizerFiles {
  /** The parsed `tokenizer.json`. */
  readonly tokenizerJson: unknown;
  /** The parsed `tokenizer_config.json`. */
  readonly tokenizerConfig?: unknown;
}

const defaultMaxLength = 256;

/**
 * Loads T5's tokenizer in a folder of a checkpoint: `tokenizer.json`, and `tokenizer_config.json` if it exists. Rejects with
 * a SourceError (`not-found`) if there is no `tokenizer.json`, and with the errors of `createT5Tokenizer`.
 */
export async function loadT5Tokenizer(
  source: Source,
  { folder = 'tokenizer_3', ...options }: T5TokenizerOptions & { readonly folder?: string } = {},
): Promise<T5Tokenizer> {
  const prefix = prefixOf(folder);
  const [tokenizerJson, tokenizerConfig] = await settleAll(
    ['tokenizer.json', 'tokenizer_config.json'].map((name) => () => readJson(source, `${prefix}${name}`)),
  );
  if (tokenizerJson === undefined) throw await missing(source, prefix);
  return assemble({ tokenizerJson, tokenizerConfig }, prefix, options);
}

/**
 * Creates T5's tokenizer from a `tokenizer.json` as transformers writes it for `T5TokenizerFast`. Texts are normalized by
 * NFKC, which equals the table in T5's file except for rare characters.
 *
 * Throws a CheckpointError (`bad-config`) that names the file and what is wrong with it, an UnsupportedError for a
 * tokenizer that is not Unigram, and an InvalidOptionError.
 * @see arXiv 1804.10959, 3.1
 */
export function createT5Tokenizer(files: T5TokenizerFiles, options?: T5TokenizerOptions): T5Tokenizer {
  return barrier('createT5Tokenizer()', () => create(files, options));
}

function create(files: T5TokenizerFiles, options: T5TokenizerOptions = {}): T5Tokenizer {
  return assemble(files, '', options);
}

function assemble(files: T5TokenizerFiles, prefix: string, options: T5TokenizerOptions): T5Tokenizer {
  const { maxLength = defaultMaxLength } = options;
  if (!Number.isInteger(maxLength) || maxLength < 1) {
    throw new InvalidOptionError('maxLength', `must be a whole number from 1 up, not ${show(maxLength)}.`);
  }
  const file = `${prefix}tokenizer.json`;
  const configFile = `${prefix}tokenizer_config.json`;
  const json = checkUnigramJson(files.tokenizerJson, file);
  const config = recordOf(files.tokenizerConfig ?? {}, configFile, 'the file');
  const tokenOf = (key: string, byDefault: string) => readToken(config[key], configFile, key)?.content ?? byDefault;
  const end = tokenOf('eos_token', '</s>');
  const endId = idOf(end, json, file);
  const padId = idOf(tokenOf('pad_token', '<pad>'), json, file);
  const library = startLibrary(json, { eos_token: end }, file);

  const tokenize = (text: string): number[] => {
    if (typeof text !== 'string') throw new InvalidOptionError('text', `must be a string, not ${typeof text}.`);
    return library.encode(text, { add_special_tokens: false }).ids;
  };
  const decode = (ids: ArrayLike<number>): string => (ids.length === 0 ? '' : library.decode(Array.from(ids)).trim());

  return {
    maxLength,
    endId,
    padId,
    tokenize,
    decode,
    encode(text) {
      const all = tokenize(text);
      const kept = all.slice(0, maxLength - 1);
      const ids = new Int32Array(maxLength).fill(padId);
      ids.set([...kept, endId]);
      return { ids, length: kept.length + 1, truncated: decode(all.slice(kept.length)) };
    },
  };
}

function idOf(token: string, { added_tokens: added, model }: UnigramJson, file: string): number {
  const id = added.find(({ content }) => content === token)?.id ?? model.vocab.findIndex(([known]) => known === token);
  if (id >= 0) return id;
  throw new CheckpointError('bad-config', file, `has no token ${show(token)}, which should be a special token.`);
}

async function missing(source: Source, prefix: string): Promise<SourceError> {
  const path = `${prefix}tokenizer.json`;
  const where = source.name === undefined ? '' : ` in ${source.name}`;
  const spiece = await readBytes(source, `${prefix}spiece.model`);
  const how =
    spiece !== undefined
      ? `spiece.model alone is not supported. Add the tokenizer.json of google/t5-v1_1-xxl, or save the folder again with transformers: T5TokenizerFast.from_pretrained(folder).save_pretrained(folder).`
      : `T5's tokenizer needs a tokenizer.json.`;
  return new SourceError('not-found', path, `${path} is missing${where}: ${how}`);
}
