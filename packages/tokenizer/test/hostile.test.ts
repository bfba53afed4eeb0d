import { CheckpointError, UnsupportedError } from '@sd/core';
import { expect, test } from 'vitest';
import { createT5Tokenizer, createTokenizer } from '../src/index.js';

const vocab = { a: 0, b: 1, 'b</w>': 2, 'ab</w>': 3, '<|startoftext|>': 4, '<|endoftext|>': 5 };
const clipWords =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const split = (pattern: object) => ({ type: 'Split', pattern, behavior: 'Removed', invert: true });
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
const sequence = (key: string, ...steps: object[]) => ({ type: 'Sequence', [key]: steps });

/** A tokenizer.json of CLIP as transformers writes it, with changed parts. */
const clip = (change: object = {}) => ({
  added_tokens: [],
  normalizer: sequence('normalizers', { type: 'NFC' }, replace({ Regex: '\\s+' }, ' '), { type: 'Lowercase' }),
  pre_tokenizer: sequence('pretokenizers', split({ Regex: clipWords }), byteLevel),
  post_processor: { type: 'RobertaProcessing', sep: ['<|endoftext|>', 5], cls: ['<|startoftext|>', 4] },
  decoder: byteLevel,
  model: { type: 'BPE', end_of_word_suffix: '</w>', unk_token: '<|endoftext|>', vocab, merges: [['a', 'b</w>']] },
  ...change,
});
const unigram = (change: object = {}) => ({
  added_tokens: [
    { id: 0, content: '<pad>', special: true },
    { id: 1, content: '</s>', special: true },
  ],
  normalizer: sequence(
    'normalizers',
    { type: 'Precompiled', precompiled_charsmap: '' },
    replace({ Regex: ' {2,}' }, '▁'),
  ),
  pre_tokenizer: sequence('pretokenizers', { type: 'WhitespaceSplit' }, { type: 'Metaspace', replacement: '▁' }),
  decoder: { type: 'Metaspace', replacement: '▁' },
  model: {
    type: 'Unigram',
    unk_id: 2,
    vocab: [
      ['<pad>', 0],
      ['</s>', 0],
      ['<unk>', 0],
      ['▁a', -1],
    ],
  },
  ...change,
});
const open = (json: object) => createTokenizer({ tokenizerJson: json });

test('the rules of CLIP, of older files of CLIP, and of T5 are known', () => {
  expect(open(clip()).tokenize('AB  ab')).toEqual([3, 3]);
  const older = split({ Regex: clipWords.slice(clipWords.indexOf("'s|")) });
  expect(open(clip({ pre_tokenizer: sequence('pretokenizers', older, byteLevel) })).tokenize('ab')).toEqual([3]);
  expect(createT5Tokenizer({ tokenizerJson: unigram() }).tokenize('a')).toEqual([3]);
});

const normalizers = (...steps: object[]) => ({ normalizer: sequence('normalizers', ...steps) });

test.each<[string, object, string]>([
  [
    'a pattern that takes twice as long with each letter',
    { pre_tokenizer: split({ Regex: '(a+)+$' }) },
    'the pattern "(a+)+$"',
  ],
  ['a pattern of a normalizer', normalizers(replace({ Regex: '(\\s*)*x' }, '')), 'the pattern'],
  ['a pattern of a decoder', { decoder: replace({ Regex: '(a|a)*b' }, '') }, 'the pattern'],
  ['a replacement that doubles a letter', normalizers(replace({ String: 'a' }, 'aa')), 'which is longer'],
  ['a replacement that doubles spaces', normalizers(replace({ Regex: '\\s+' }, '  ')), 'which is longer'],
  ['many steps', normalizers(sequence('normalizers', ...Array(8).fill({ type: 'NFC' })), { type: 'NFC' }), '9 steps'],
  ['a long prefix', normalizers({ type: 'Prepend', prepend: 'a'.repeat(1000) }), 'prepend'],
  ['a long space', { pre_tokenizer: { type: 'Metaspace', replacement: 'a'.repeat(1000) } }, 'replacement'],
  ['a step of other models', { pre_tokenizer: { type: 'BertPreTokenizer' } }, 'a step of type "BertPreTokenizer"'],
])('%s is refused by name', (_, change, named) => {
  for (const attempt of [() => open(clip(change)), () => createT5Tokenizer({ tokenizerJson: unigram(change) })]) {
    expect(attempt).toThrow(UnsupportedError);
    expect(attempt).toThrow(named);
  }
});

test.each<[string, object]>([
  ['a rule without a type', { normalizer: {} }],
  ['a rule that is a number', { pre_tokenizer: 5 }],
  ['a sequence without steps', { decoder: { type: 'Sequence' } }],
  ['a sequence of null and a number', normalizers({ type: 'NFC' }, 5 as unknown as object)],
  [
    'sequences without end',
    {
      normalizer: Array(100)
        .fill(0)
        .reduce((inner) => sequence('normalizers', inner), { type: 'NFC' }),
    },
  ],
  ['no pattern', normalizers({ type: 'Replace', content: '' })],
  ['an empty pattern', normalizers(replace({ String: '' }, ''))],
  ['a decoder that strips a billion', { decoder: { type: 'Strip', content: ' ', start: 1e9, stop: 0 } }],
  ['a long token', { added_tokens: [{ id: 9, content: 'a'.repeat(1000) }] }],
])('%s is broken', (_, change) => {
  expect(() => open(clip(change))).toThrow(CheckpointError);
});

test('post-processors, which only add special tokens, are not read', () => {
  for (const post_processor of [
    { type: 'TemplateProcessing', single: 5 },
    { type: 'Sequence', processors: [null] },
    7,
  ]) {
    expect(open(clip({ post_processor })).tokenize('ab')).toEqual([3]);
  }
});

test('a suffix of words has a limit', () => {
  const { model } = clip();
  expect(() => open(clip({ model: { ...model, end_of_word_suffix: 'a'.repeat(17) } }))).toThrow('end_of_word_suffix');
});
