import { CheckpointError, show } from '@sd/core';
import { clipWords } from './known-rules.js';
import type { SpecialTokens } from './tokenizer-config.js';
import { type TokenizerJson, vocabOf } from './tokenizer-json.js';

export interface VocabFiles {
  /** The parsed `vocab.json`: each token's id. */
  readonly vocab: unknown;
  /** The text of `merges.txt`: two tokens on each line, in order of precedence. */
  readonly merges: string;
  /** Names of the two files, for messages. */
  readonly vocabFile: string;
  readonly mergesFile: string;
}

/**
 * The `tokenizer.json` that transformers writes for a CLIPTokenizer with this vocabulary and these merges.
 *
 * Throws a CheckpointError (`bad-config`) that names the file, and the line or token, if the vocabulary is invalid, a merge
 * is not two of its tokens, or the start, end or unknown token is missing.
 * Follows transformers' models/clip/tokenization_clip.py.
 */
export function clipTokenizerJson(files: VocabFiles, { start, end, unknown }: SpecialTokens): TokenizerJson {
  const vocab = vocabOf(files.vocab, files.vocabFile, 'the file');
  const idOf = (token: string) => {
    if (!Object.hasOwn(vocab, token)) {
      throw new CheckpointError('bad-config', files.vocabFile, `has no token ${show(token)}.`);
    }
    return vocab[token];
  };
  idOf(unknown.content);
  const added = [start, end].map((token) => ({ id: idOf(token.content), ...token }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.sort((a, b) => a.id - b.id),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: clipWords }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [end.content, idOf(end.content)],
      cls: [start.content, idOf(start.content)],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown.content,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: parseMerges(files.merges, vocab, files.mergesFile),
    },
  };
}

function parseMerges(text: string, vocab: Readonly<Record<string, number>>, file: string): [string, string][] {
  const merges: [string, string][] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (line === '' || (i === 0 && line.startsWith('#version'))) return;
    const [left, right, ...rest] = line.split(' ');
    if (!left || !right || rest.length > 0) {
      throw new CheckpointError('bad-config', file, `line ${i + 1} is not two tokens: ${show(line.slice(0, 80))}.`);
    }
    for (const token of [left, right, left + right]) {
      if (Object.hasOwn(vocab, token)) continue;
      throw new CheckpointError(
        'bad-config',
        file,
        `line ${i + 1} needs the token ${show(token)}, which is not in the vocabulary: the files belong to different models.`,
      );
    }
    merges.push([left, right]);
  });
  return merges;
}
