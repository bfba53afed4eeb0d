import { readerBarrier, type Source, SourceError, settleAll } from '@sd/core';
import { clipTokenizerJson } from './clip-tokenizer-json.js';
import { prefixOf, readJson, readUtf8 } from './read-files.js';
import { assembleTokenizer, type ClipTokenizer } from './tokenizer.js';
import { readTokenizerConfig } from './tokenizer-config.js';
import { checkTokenizerJson } from './tokenizer-json.js';

/**
 * Loads the tokenizer in a folder of a checkpoint: `tokenizer.json`, or `vocab.json` and `merges.txt`.
 * `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` may be missing; CLIP's values are the default.
 *
 * Rejects with a SourceError (`not-found`) if there is no vocabulary, and with a CheckpointError (`bad-config`) that names
 * the file if one is broken.
 */
export function loadTokenizer(source: Source, folder?: string): Promise<ClipTokenizer> {
  return readerBarrier('loadTokenizer()', source, (source) => load(source, folder));
}

async function load(source: Source, folder = 'tokenizer'): Promise<ClipTokenizer> {
  const prefix = prefixOf(folder);
  const path = (name: string) => `${prefix}${name}`;
  const [tokenizerConfig, specialTokensMap, addedTokens, tokenizerJson] = await settleAll(
    ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'tokenizer.json'].map(
      (name) => () => readJson(source, path(name)),
    ),
  );
  const config = readTokenizerConfig({ tokenizerConfig, specialTokensMap, addedTokens }, prefix);
  if (tokenizerJson !== undefined) {
    const file = path('tokenizer.json');
    return assembleTokenizer(checkTokenizerJson(tokenizerJson, file), config, file);
  }

  const vocabFile = path('vocab.json');
  const mergesFile = path('merges.txt');
  const [vocab, merges] = await settleAll([() => readJson(source, vocabFile), () => readUtf8(source, mergesFile)]);
  if (vocab === undefined || merges === undefined)
    throw missing(source, prefix, vocab === undefined ? vocabFile : mergesFile);
  return assembleTokenizer(clipTokenizerJson({ vocab, merges, vocabFile, mergesFile }, config), config, vocabFile);
}

function missing(source: Source, prefix: string, path: string): SourceError {
  const where = source.name === undefined ? '' : ` in ${source.name}`;
  return new SourceError(
    'not-found',
    path,
    `${path} is missing${where}: a tokenizer is ${prefix}tokenizer.json, or vocab.json and merges.txt.`,
  );
}
