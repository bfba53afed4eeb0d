import { barrier, CheckpointError, InvalidOptionError, type Tokenizer } from '@sd/core';
import { stepsOf } from './known-rules.js';
import { startLibrary } from './library.js';
import {
  readLength,
  readTokenizerConfig,
  type TokenizerConfig,
  type TokenizerConfigFiles,
} from './tokenizer-config.js';
import { type AddedToken, checkTokenizerJson, type SpecialToken, type TokenizerJson } from './tokenizer-json.js';
import { isRecord } from './values.js';
import { windowOf } from './window.js';

const clipMaxLength = 77;

/** CLIP's tokenizer: windows of tokens, and what longer and weighted prompts are made with. */
export interface ClipTokenizer extends Tokenizer {
  /** Id of the token at the start of a window: 49406 in SD. */
  readonly startId: number;
  /** Id of the token after the text: 49407 in SD. */
  readonly endId: number;
  /** Id of the padding: 49407 in SD 1, 0 in SD 2. */
  readonly padId: number;
  /** All ids of the text, without start token, end token or padding. */
  tokenize(text: string): number[];
  /** The text of ids, in lower case and with single spaces, as CLIP reads it. */
  decode(ids: ArrayLike<number>): string;
}

/** The parsed files of a tokenizer. */
export interface TokenizerFiles extends TokenizerConfigFiles {
  /** The parsed `tokenizer.json`. */
  readonly tokenizerJson: unknown;
}

/**
 * Creates CLIP's tokenizer from a `tokenizer.json` as transformers writes it, and from the files that give its special
 * tokens and length. CLIP's own are the default: windows of 77 tokens, padded with the end token.
 *
 * Throws a CheckpointError (`bad-config`) that names the file and what is wrong with it, and an UnsupportedError for a
 * tokenizer that is not byte-pair encoding.
 */
export function createTokenizer(files: TokenizerFiles): ClipTokenizer {
  return barrier('createTokenizer()', () => create(files));
}

function create(files: TokenizerFiles): ClipTokenizer {
  const json = checkTokenizerJson(files.tokenizerJson, 'tokenizer.json');
  return assembleTokenizer(json, readTokenizerConfig(files, ''), 'tokenizer.json');
}

/** Creates the tokenizer from checked files. `file` is the name of the one with the vocabulary, for messages. */
export function assembleTokenizer(json: TokenizerJson, config: TokenizerConfig, file: string): ClipTokenizer {
  const padding = isRecord(json.padding) ? json.padding.pad_token : undefined;
  const truncation = isRecord(json.truncation) ? json.truncation.max_length : undefined;
  const padContent = typeof padding === 'string' ? padding : config.end.content;
  const pad = config.pad ?? { ...config.end, content: padContent };
  const added = addTokens(json, config, [config.start, config.end, pad], file);
  const idOf = (token: SpecialToken) => added.find(({ content }) => content === token.content)!.id;
  const startId = idOf(config.start);
  const endId = idOf(config.end);
  const padId = idOf(pad);
  const maxLength = config.maxLength ?? readLength(truncation, file) ?? clipMaxLength;

  const followers = followersOf(added);
  const encoder = startLibrary({ ...json, added_tokens: added }, {}, file);
  const lowercases = [...stepsOf(json.normalizer, file, 'normalizer')].some(({ type }) => type === 'Lowercase');

  const tokenize = (text: string): number[] => {
    if (typeof text !== 'string') throw new InvalidOptionError('text', `must be a string, not ${typeof text}.`);
    // JavaScript lowercases a final sigma to ς, which transformers never does.
    const { ids } = encoder.encode(lowercases ? text.replaceAll('Σ', 'σ') : text, { add_special_tokens: false });
    return followers.size === 0 ? ids : ids.flatMap((id) => [id, ...(followers.get(id) ?? [])]);
  };
  const decode = (ids: ArrayLike<number>): string => (ids.length === 0 ? '' : encoder.decode(Array.from(ids)).trim());

  return {
    maxLength,
    startId,
    endId,
    padId,
    tokenize,
    decode,
    encode(text) {
      const textIds = tokenize(text);
      const kept = textIds.slice(0, maxLength - 2);
      const ids = windowOf({ maxLength, startId, endId, padId }, kept);
      return { ids, length: kept.length + 2, truncated: decode(textIds.slice(kept.length)) };
    },
  };
}

/**
 * The tokens that are found in the text as they are: those of `tokenizer.json`, of the config, and the special ones. SD 2
 * pads with `!`, so that a `!` in the text becomes the padding token, as in its training and in transformers.
 */
function addTokens(
  json: TokenizerJson,
  config: TokenizerConfig,
  specials: readonly SpecialToken[],
  file: string,
): AddedToken[] {
  const { vocab } = json.model;
  const added = new Map<string, AddedToken>();
  // Where files contradict each other, the vocabulary's id counts, as in the `tokenizers` of Python.
  const idOf = ({ content, id }: AddedToken) => (Object.hasOwn(vocab, content) ? vocab[content] : id);
  for (const token of [...json.added_tokens, ...config.added]) added.set(token.content, { ...token, id: idOf(token) });
  for (const token of specials) {
    if (added.has(token.content)) continue;
    if (!Object.hasOwn(vocab, token.content)) {
      throw new CheckpointError(
        'bad-config',
        file,
        `has no token ${JSON.stringify(token.content)}, which should be a special token.`,
      );
    }
    added.set(token.content, { id: vocab[token.content], ...token });
  }
  let last = Math.max(...[...added.values()].map(({ id }) => id));
  for (const id of Object.values(vocab)) last = Math.max(last, id);
  for (const token of config.additional) {
    if (added.has(token.content)) continue;
    const known = Object.hasOwn(vocab, token.content);
    added.set(token.content, { id: known ? vocab[token.content] : ++last, ...token });
  }
  return [...added.values()].sort((a, b) => a.id - b.id);
}

/**
 * The ids that follow an added token, by its id. A word that was trained with several vectors is several tokens, of which
 * a prompt has the first: `<cat>`, `<cat>_1`, `<cat>_2`.
 * @see diffusers' `TextualInversionLoaderMixin.maybe_convert_prompt`
 */
function followersOf(added: readonly AddedToken[]): ReadonlyMap<number, readonly number[]> {
  const ids = new Map(added.map(({ content, id }) => [content, id]));
  const followers = new Map<number, readonly number[]>();
  for (const { content, id } of added) {
    const list: number[] = [];
    for (let next = ids.get(`${content}_1`); next !== undefined; next = ids.get(`${content}_${list.length + 1}`)) {
      list.push(next);
    }
    if (list.length > 0) followers.set(id, list);
  }
  return followers;
}
