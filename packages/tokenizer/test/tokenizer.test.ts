import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { clipVocabulary } from '../../../fixtures/clip-vocabulary.js';
import { clipTokenizerJson } from '../src/clip-tokenizer-json.js';
import { createTokenizer, loadTokenizer } from '../src/index.js';
import { mockTokenizer, tokenizerSuite } from '../src/testing.js';
import { readTokenizerConfig } from '../src/tokenizer-config.js';
import added from './data/added-tokens.json' with { type: 'json' };
import golden from './data/clip-tokens.json' with { type: 'json' };
import { folderOf } from './folder.js';

const tinyFolder = new URL('../../model-tiny/model/tokenizer/', import.meta.url);
const tinyText = (name: string) => readFileSync(new URL(name, tinyFolder), 'utf8');
const tinyJson = (name: string) => JSON.parse(tinyText(name));

const { vocab, merges } = clipVocabulary();
const files = { vocab, merges, vocabFile: 'vocab.json', mergesFile: 'merges.txt' };
const clipJson = clipTokenizerJson(files, readTokenizerConfig({}, ''));
const clip = createTokenizer({ tokenizerJson: clipJson });
const sd2 = createTokenizer({
  tokenizerJson: clipJson,
  tokenizerConfig: { model_max_length: 77, pad_token: '<|endoftext|>' },
  specialTokensMap: { pad_token: '!' },
});

describe('the CLIP vocabulary', () => {
  test('is complete', () => {
    expect(Object.keys(vocab)).toHaveLength(49408);
    expect(vocab['<|endoftext|>']).toBe(49407);
  });

  test.each([
    ['vocab.json and merges.txt', { 'vocab.json': vocab, 'merges.txt': merges }],
    [
      'vocab.json and merges.txt with Windows line ends',
      { 'vocab.json': vocab, 'merges.txt': merges.replaceAll('\n', '\r\n') },
    ],
    ['a tokenizer.json', { 'tokenizer.json': clipJson }],
    [
      'a tokenizer.json with merges as text',
      {
        'tokenizer.json': { ...clipJson, model: { ...clipJson.model, merges: merges.trimEnd().split('\n').slice(1) } },
      },
    ],
  ])('%s gives the ids of transformers for 200 of 200 texts', async (_, contents) => {
    const tokenizer = await loadTokenizer(folderOf(contents));
    expect(golden.cases).toHaveLength(200);
    for (const { text, ids, padded } of golden.cases) {
      const tokens = tokenizer.encode(text);
      expect([...tokens.ids], text).toEqual(padded);
      expect(tokens.ids.subarray(0, tokens.length), text).toEqual(Int32Array.from(ids.length > 77 ? padded : ids));
      expect([tokenizer.startId, ...tokenizer.tokenize(text), tokenizer.endId], text).toEqual(ids);
    }
  });

  test('capital sigma is lowercased as transformers does, whatever follows', () => {
    // CLIPTokenizer over the same files: t('ΟΔΟΣ ΣΑΣ')['input_ids'][1:-1]
    expect(clip.tokenize('ΟΔΟΣ ΣΑΣ')).toEqual([138, 123, 138, 112, 138, 123, 139, 481, 139, 225, 138, 109, 139, 481]);
    expect(clip.tokenize('οδος')).not.toEqual(clip.tokenize('οδοσ'));
  });
});

describe('the embedded model', () => {
  test('vocab.json and merges.txt make the tokenizer.json that transformers writes', () => {
    const made = clipTokenizerJson(
      { ...files, vocab: tinyJson('vocab.json'), merges: tinyText('merges.txt') },
      readTokenizerConfig({ tokenizerConfig: tinyJson('tokenizer_config.json') }, ''),
    );
    expect(made).toEqual(tinyJson('tokenizer.json'));
  });

  test('has windows of 32 tokens', () => {
    const tokenizer = createTokenizer({
      tokenizerJson: tinyJson('tokenizer.json'),
      tokenizerConfig: tinyJson('tokenizer_config.json'),
    });
    expect(tokenizer).toMatchObject({ maxLength: 32, startId: 1194, endId: 1195, padId: 1195 });
  });
});

describe('windows', () => {
  test('what does not fit is reported, and the end token is last', () => {
    const words = Array.from({ length: 75 }, (_, i) => (i % 2 === 0 ? 'red' : 'cat'));
    expect(clip.encode(words.join(' '))).toMatchObject({ length: 77, truncated: '' });
    const cut = clip.encode(`${words.join(' ')}, It's a Café`);
    expect(cut).toMatchObject({ length: 77, truncated: ", it's a café" });
    expect(cut.ids[76]).toBe(49407);
  });

  test('tokenize gives all ids of a long text, and decode reads them', () => {
    const text = Array(200).fill('blue car').join(' ');
    expect(clip.tokenize(text)).toHaveLength(400);
    expect(clip.decode(clip.tokenize(text))).toBe(text);
    expect(clip.decode([])).toBe('');
  });
});

describe('special tokens', () => {
  test("SD 2 pads with '!', and reads one in the text as padding, as transformers does", () => {
    expect(sd2).toMatchObject({ maxLength: 77, startId: 49406, endId: 49407, padId: 0 });
    // CLIPTokenizer with pad_token '!' in special_tokens_map.json: t('Hello! wow!! a ! b')
    expect([...sd2.encode('Hello! wow!! a ! b').ids.subarray(0, 11)]).toEqual([
      49406, 3306, 0, 2781, 0, 0, 320, 0, 321, 49407, 0,
    ]);
    expect(clip.tokenize('Hello! wow!! a ! b')).toEqual([3306, 256, 2781, 748, 320, 256, 321]);
  });

  const padOf = (tokenizerConfig?: unknown, specialTokensMap?: unknown) =>
    createTokenizer({ tokenizerJson: clipJson, tokenizerConfig, specialTokensMap }).padId;

  test('the map takes precedence over the config, unless the config lists its added tokens', () => {
    const added = { '0': { content: '!', special: true } };
    expect(padOf({ pad_token: '<|endoftext|>' }, { pad_token: '!' })).toBe(0);
    expect(padOf({ pad_token: '<|endoftext|>', added_tokens_decoder: added }, { pad_token: '!' })).toBe(49407);
    expect(padOf({ pad_token: { __type: 'AddedToken', content: '!' } })).toBe(0);
    expect(padOf({ pad_token: null })).toBe(49407);
    expect(padOf()).toBe(49407);
  });

  test('padding and truncation in tokenizer.json are used if no other file gives them', () => {
    const tokenizerJson = { ...clipJson, padding: { pad_token: '!' }, truncation: { max_length: 40 } };
    expect(createTokenizer({ tokenizerJson })).toMatchObject({ padId: 0, maxLength: 40 });
    const tokenizerConfig = { pad_token: '<|endoftext|>', model_max_length: 77 };
    expect(createTokenizer({ tokenizerJson, tokenizerConfig })).toMatchObject({ padId: 49407, maxLength: 77 });
  });

  test('tokens that the config adds are found in the text', () => {
    const tokenizerConfig = { added_tokens_decoder: { '49408': { content: '<style>', special: false } } };
    expect(createTokenizer({ tokenizerJson: clipJson, tokenizerConfig }).tokenize('a <style> car')).toEqual([
      320, 49408, 1615,
    ]);
  });

  test('words of added_tokens.json are found in the text, as transformers 5.23 finds them', async () => {
    const added = { '<cattoy>': 49408, Zwo: 49409, 'cat toy': 49410 };
    const folder = folderOf({ 'vocab.json': vocab, 'merges.txt': merges, 'added_tokens.json': added });
    const tokenizer = await loadTokenizer(folder);
    const [a, x, my, y, man] = ['a', 'x', 'my', 'y', 'man'].map((word) => vocab[`${word}</w>`]);
    expect(tokenizer.tokenize('a <cattoy> x')).toEqual([a, 49408, x]);
    expect(tokenizer.tokenize('a <CatToy> x')).toEqual([a, 49408, x]);
    expect(tokenizer.tokenize('x<cattoy>y')).toEqual([x, 49408, y]);
    expect(tokenizer.tokenize('a zwo Zwo')).toEqual([a, 49409, 49409]);
    expect(tokenizer.tokenize('Zwoman')).toEqual([49409, man]);
    expect(tokenizer.tokenize('my cat toy y')).toEqual([my, 49410, y]);
  });

  test('a word of several vectors is all of its tokens, as in diffusers', async () => {
    const added = { '<cat>': 49408, '<cat>_1': 49409, '<cat>_2': 49410, '<cat>_4': 49411 };
    const folder = folderOf({ 'vocab.json': vocab, 'merges.txt': merges, 'added_tokens.json': added });
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.tokenize('a <cat> <cat>_4')).toEqual([vocab['a</w>'], 49408, 49409, 49410, 49411]);
  });

  test.each([[[]], [{ '<cattoy>': -1 }], [{ '<cattoy>': 'last' }], [{ '': 5 }]])(
    'an added_tokens.json of %j is refused',
    async (added) => {
      const folder = folderOf({ 'vocab.json': vocab, 'merges.txt': merges, 'added_tokens.json': added });
      await expect(loadTokenizer(folder)).rejects.toMatchObject({
        code: 'bad-config',
        file: 'tokenizer/added_tokens.json',
      });
    },
  );

  test.each([[1e30], [null], [undefined]])('a model_max_length of %s is 77', (value) => {
    expect(createTokenizer({ tokenizerJson: clipJson, tokenizerConfig: { model_max_length: value } }).maxLength).toBe(
      77,
    );
  });
});

test.each([
  ...tokenizerSuite(() => clip).map((testCase) => ({ ...testCase, tokenizer: 'CLIP' })),
  ...tokenizerSuite(() => sd2).map((testCase) => ({ ...testCase, tokenizer: 'SD 2' })),
  ...tokenizerSuite(() => mockTokenizer()).map((testCase) => ({ ...testCase, tokenizer: 'mock' })),
  ...tokenizerSuite(() => mockTokenizer({ maxLength: 8 })).map((testCase) => ({
    ...testCase,
    tokenizer: 'short mock',
  })),
])('conformance of $tokenizer: $name', ({ run }) => run());

describe('added tokens', () => {
  const base: Record<string, Record<string, unknown>> = {
    'tokenizer.json': tinyJson('tokenizer.json'),
    'tokenizer_config.json': tinyJson('tokenizer_config.json'),
  };
  /** The folder of the embedded model's tokenizer with changed files, as data/make_added_tokens.py writes it. */
  const withFiles = (files: Readonly<Record<string, Readonly<Record<string, unknown>>>>, plain = base) =>
    loadTokenizer(
      folderOf({
        ...plain,
        ...Object.fromEntries(
          Object.entries(files).map(([name, values]) => {
            const old = plain[name] ?? {};
            const join = (key: string, value: unknown) =>
              Array.isArray(value) ? [...((old[key] as unknown[] | undefined) ?? []), ...value] : value;
            const joined = Object.entries(values).map(([key, value]) => [key, join(key, value)]);
            return [name, { ...old, ...Object.fromEntries(joined) }];
          }),
        ),
      }),
    );

  test.each(added.cases)('of $name get the ids of transformers', async ({ files, ids }) => {
    const tokenizer = await withFiles(files as unknown as Parameters<typeof withFiles>[0]);
    expect(added.texts.map((text) => tokenizer.tokenize(text))).toEqual(ids);
  });

  test('of added_tokens.json count beside vocab.json and merges.txt too', async () => {
    const { model } = base['tokenizer.json'] as { model: { vocab: object; merges: (string | string[])[] } };
    const vocabulary = {
      'vocab.json': model.vocab,
      'merges.txt': ['#version: 0.2', ...model.merges.map((pair) => [pair].flat().join(' ')), ''].join('\n'),
      'tokenizer_config.json': base['tokenizer_config.json'],
    };
    const { files, ids } = added.cases[0];
    const tokenizer = await loadTokenizer(folderOf({ ...vocabulary, ...files }));
    expect(added.texts.map((text) => tokenizer.tokenize(text))).toEqual(ids);
  });

  test.each([
    ['added_tokens.json', { '<a>': -1 }, '"<a>" is not a token with an id.'],
    ['added_tokens.json', { '<a>': '7' }, '"<a>" is not a token with an id.'],
    ['added_tokens.json', { '': 7 }, '"" is not a token with an id.'],
    [
      'special_tokens_map.json',
      { additional_special_tokens: '<a>' },
      'additional_special_tokens is not a list of tokens.',
    ],
    ['special_tokens_map.json', { additional_special_tokens: [{}] }, 'additional_special_tokens[0] is neither a token'],
  ])('%s: %j is an error', async (name, values, message) => {
    const loading = withFiles({ [name]: values });
    await expect(loading).rejects.toMatchObject({ code: 'bad-config', file: `tokenizer/${name}` });
    await expect(loading).rejects.toThrow(message);
  });
});
