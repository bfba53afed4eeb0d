import { CheckpointError, SourceError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { createTokenizer, loadTokenizer } from '../src/index.js';
import { mockTokenizer } from '../src/testing/mock.js';
import { tokenizerSuite } from '../src/testing.js';
import { folderOf } from './folder.js';

const vocab = { a: 0, b: 1, 'b</w>': 2, 'ab</w>': 3, '<|startoftext|>': 4, '<|endoftext|>': 5 };
const merges = '#version: 0.2\na b</w>\n';
const good = { 'vocab.json': vocab, 'merges.txt': merges };

const failure = (files: Record<string, unknown>, folder?: string) =>
  loadTokenizer(folderOf(files, folder), folder).then(
    () => expect.unreachable('it loaded'),
    (error: unknown) => error as Error & { path?: string; file?: string; code?: string },
  );

test('the small vocabulary without errors loads', async () => {
  const tokenizer = await loadTokenizer(folderOf(good, 'tokenizer_2'), 'tokenizer_2');
  expect(tokenizer.tokenize('ab ba')).toEqual([3, 1, 5]);
});

test('a special token has the id of the vocabulary, whatever the list of added tokens says', () => {
  const added = { id: 9, content: '<|endoftext|>', special: true, normalized: false };
  const model = { type: 'BPE', vocab, merges: [['a', 'b</w>']], end_of_word_suffix: '</w>' };
  const rules = { normalizer: null, pre_tokenizer: null, decoder: null };
  expect(createTokenizer({ tokenizerJson: { added_tokens: [added], model, ...rules } }).endId).toBe(5);
});

describe('missing files', () => {
  test.each([
    ['everything', {}, 'tokenizer/vocab.json'],
    ['merges.txt', { 'vocab.json': vocab }, 'tokenizer/merges.txt'],
    ['vocab.json', { 'merges.txt': merges }, 'tokenizer/vocab.json'],
  ])('%s', async (_, files, path) => {
    const error = await failure(files);
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ code: 'not-found', path });
    expect(error.message).toMatch(/is missing in a folder in memory: a tokenizer is tokenizer\/tokenizer\.json, or/);
  });

  test('a source that cannot be read is not a missing file', async () => {
    const read = async (path: string) => {
      throw new SourceError('read-failed', path, 'no permission');
    };
    await expect(loadTokenizer({ read })).rejects.toMatchObject({ code: 'read-failed' });
  });
});

describe('errors name the broken file', () => {
  const json = (change: object) => ({
    'tokenizer.json': { added_tokens: [], model: { type: 'BPE', vocab, merges: [['a', 'b</w>']], ...change } },
  });

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    ['vocab.json cut off', { ...good, 'vocab.json': '{"a": 0' }, 'vocab.json', /is not JSON: /],
    ['vocab.json is a list', { ...good, 'vocab.json': ['a'] }, 'vocab.json', /the file is not an object/],
    ['vocab.json is empty', { ...good, 'vocab.json': {} }, 'vocab.json', /no tokens/],
    ['an id is not an integer', { ...good, 'vocab.json': { ...vocab, b: '1' } }, 'vocab.json', /the id of "b" is "1"/],
    ['an id is negative', { ...good, 'vocab.json': { ...vocab, b: -1 } }, 'vocab.json', /the id of "b" is -1/],
    ['an id is too large', { ...good, 'vocab.json': { ...vocab, b: 2 ** 40 } }, 'vocab.json', /the id of "b"/],
    [
      'no end token',
      { ...good, 'vocab.json': { a: 0, '<|startoftext|>': 1 } },
      'vocab.json',
      /no token "<\|endoftext\|>"/,
    ],
    ['merges.txt is something else', { ...good, 'merges.txt': '<html>' }, 'merges.txt', /line 1 is not two tokens/],
    [
      'a merge of three',
      { ...good, 'merges.txt': `${merges}a b c\n` },
      'merges.txt',
      /line 3 is not two tokens: "a b c"/,
    ],
    [
      'merges of another model',
      { ...good, 'merges.txt': `${merges}a c\n` },
      'merges.txt',
      /line 3 needs the token "c"/,
    ],
    ['not UTF-8', { ...good, 'merges.txt': new Uint8Array([0xff, 0xfe, 0x00]) }, 'merges.txt', /not UTF-8/],
    ['tokenizer.json cut off', { ...good, 'tokenizer.json': '{' }, 'tokenizer.json', /is not JSON/],
    ['tokenizer.json without a model', { 'tokenizer.json': {} }, 'tokenizer.json', /model is not an object/],
    ['tokenizer.json without merges', json({ merges: 3 }), 'tokenizer.json', /model\.merges/],
    ['tokenizer.json without a vocabulary', json({ vocab: null }), 'tokenizer.json', /model\.vocab is not an object/],
    ['tokenizer.json without the library’s parts', json({}), 'tokenizer.json', /cannot be used as a tokenizer/],
    ['tokenizer.json without its start', json({ vocab: { a: 0 } }), 'tokenizer.json', /no token "<\|startoftext\|>"/],
    ['config is not JSON', { ...good, 'tokenizer_config.json': '' }, 'tokenizer_config.json', /is not JSON/],
    [
      'config has length 0',
      { ...good, 'tokenizer_config.json': { model_max_length: 0 } },
      'tokenizer_config.json',
      /length is 0/,
    ],
    [
      'config has a token of a wrong type',
      { ...good, 'tokenizer_config.json': { pad_token: 7 } },
      'tokenizer_config.json',
      /pad_token/,
    ],
    [
      'map has an unknown token',
      { ...good, 'special_tokens_map.json': { pad_token: '?' } },
      'vocab.json',
      /no token "\?"/,
    ],
    ['map is a list', { ...good, 'special_tokens_map.json': [] }, 'special_tokens_map.json', /not an object/],
  ])('%s', async (_, files, file, message) => {
    const error = await failure(files);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'bad-config', file: `tokenizer/${file}` });
    expect(error.message).toMatch(message);
  });

  test('another kind of tokenizer', async () => {
    const error = await failure(json({ type: 'Unigram' }));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/tokenizer\/tokenizer\.json: a tokenizer of type "Unigram"/);
  });

  test('createTokenizer names the files without a folder', () => {
    expect(() => createTokenizer({ tokenizerJson: null })).toThrow(/^tokenizer\.json: the file is not an object/);
  });
});

describe('the conformance suite finds', () => {
  const correct = mockTokenizer();
  test.each<[string, Partial<ReturnType<typeof mockTokenizer>>]>([
    ['a window that is too short', { maxLength: 78 }],
    ['truncated text that is not reported', { encode: (text) => ({ ...correct.encode(text), truncated: '' }) }],
    ['a wrong length', { encode: (text) => ({ ...correct.encode(text), length: 4 }) }],
    [
      'a lost end token',
      { encode: (text) => ({ ...correct.encode(text), ids: correct.encode(text.repeat(30)).ids.fill(9, 76) }) },
    ],
    ['a shared array', { encode: (text) => ({ ...correct.encode(text), ids: shared }) }],
  ])('%s', async (_, fault) => {
    const cases = tokenizerSuite(() => ({ ...correct, ...fault }));
    const results = await Promise.allSettled(cases.map(({ run }) => run()));
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
  });
  const shared = new Int32Array(77);
});
