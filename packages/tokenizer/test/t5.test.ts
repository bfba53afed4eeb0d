import { readFileSync } from 'node:fs';
import { CheckpointError, InvalidOptionError, SourceError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { createT5Tokenizer, loadT5Tokenizer } from '../src/index.js';
import { tokenizerSuite } from '../src/testing.js';
import golden from './data/t5-tokens.json' with { type: 'json' };
import { folderOf } from './folder.js';

const read = (name: string) => JSON.parse(readFileSync(`${fixture('models/sd3')}/tokenizer_3/${name}`, 'utf8'));
const tokenizerJson = read('tokenizer.json');
const tokenizerConfig = read('tokenizer_config.json');

describe('the ids of transformers', () => {
  test.each(golden.cases)('$text', ({ text, ids, padded }) => {
    const tokenizer = createT5Tokenizer({ tokenizerJson, tokenizerConfig }, { maxLength: 24 });
    expect([...tokenizer.tokenize(text), tokenizer.endId]).toEqual(ids);
    const window = tokenizer.encode(text);
    expect([...window.ids]).toEqual(padded);
    expect(window.length).toBe(Math.min(ids.length, 24));
  });

  test('from a folder, in windows of 256 tokens', async () => {
    const files = { 'tokenizer.json': tokenizerJson, 'tokenizer_config.json': tokenizerConfig };
    const tokenizer = await loadT5Tokenizer(folderOf(files, 'tokenizer_3'));
    expect(tokenizer).toMatchObject({ maxLength: 256, endId: 1, padId: 0 });
    const { text, ids } = golden.cases[2];
    const window = tokenizer.encode(text);
    expect([...window.ids]).toEqual([...ids, ...new Array(256 - ids.length).fill(0)]);
    expect(window).toMatchObject({ length: ids.length, truncated: '' });
  });
});

test('truncated text is reported, and the end token stays last', () => {
  const tokenizer = createT5Tokenizer({ tokenizerJson }, { maxLength: 5 });
  const { ids, length, truncated } = tokenizer.encode('a blue car on a road');
  expect([...ids]).toEqual([13, 35, 6, 11, 1]);
  expect([length, truncated]).toEqual([5, 'a road']);
});

test.each(tokenizerSuite(() => createT5Tokenizer({ tokenizerJson }, { maxLength: 24 }), { startToken: false }))(
  'conformance: $name',
  ({ run }) => run(),
);

describe('unreadable files are refused', () => {
  const failure = (files: Record<string, unknown>) =>
    loadT5Tokenizer(folderOf(files, 'tokenizer_3')).then(
      () => expect.unreachable('it loaded'),
      (error: unknown) => error as Error,
    );

  test.each([
    [
      'no file',
      {},
      /tokenizer_3\/tokenizer\.json is missing in a folder in memory: T5's tokenizer needs a tokenizer\.json\./,
    ],
    [
      'spiece.model alone',
      { 'spiece.model': new Uint8Array(4) },
      /spiece\.model alone is not supported\. Add the tokenizer\.json/,
    ],
  ])('%s', async (_, files, message) => {
    const error = await failure(files);
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ code: 'not-found', path: 'tokenizer_3/tokenizer.json' });
    expect(error.message).toMatch(message);
  });

  const { model } = tokenizerJson;
  test.each([
    ['not an object', [], /the file is not an object/],
    [
      'a vocabulary of another kind',
      { ...tokenizerJson, model: { ...model, vocab: { a: 1 } } },
      /model\.vocab is not a list/,
    ],
    ['no score', { ...tokenizerJson, model: { ...model, vocab: [['a']] } }, /model\.vocab is not a list/],
    [
      'an id of the unknown token that does not exist',
      { ...tokenizerJson, model: { ...model, unk_id: 999 } },
      /unk_id is 999, not the id/,
    ],
    ['no list of added tokens', { ...tokenizerJson, added_tokens: [{ id: 1 }] }, /added_tokens is not a list/],
  ])('%s', async (_, json, message) => {
    const error = await failure({ 'tokenizer.json': json });
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code: 'bad-config', file: 'tokenizer_3/tokenizer.json' });
  });

  test('a special token that is missing', () => {
    const run = () => createT5Tokenizer({ tokenizerJson, tokenizerConfig: { pad_token: '[PAD]' } });
    expect(run).toThrow(CheckpointError);
    expect(run).toThrow('has no token "[PAD]", which should be a special token');
  });

  test('a CLIP tokenizer', () => {
    const run = () => createT5Tokenizer({ tokenizerJson: { model: { type: 'BPE' } } });
    expect(run).toThrow(UnsupportedError);
    expect(run).toThrow('tokenizer.json: a tokenizer of type "BPE"; only T5\'s type, Unigram, is supported.');
  });

  test.each([0, 1.5, Number.NaN])('windows of %s tokens', (maxLength) => {
    expect(() => createT5Tokenizer({ tokenizerJson }, { maxLength })).toThrow(InvalidOptionError);
  });
});
