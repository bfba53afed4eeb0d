import { CheckpointError, SourceError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { Config, readConfig } from '../src/index.js';
import { memorySource } from './memory.js';

const config = new Config('unet/config.json', {
  zero: 0,
  no: false,
  empty: '',
  nothing: null,
  text: '8',
  half: 0.5,
  huge: 1e9,
  list: [1, 2, 3],
  names: ['a', 'b'],
});

describe('values', () => {
  test('0, false and the empty string are values, null is not', () => {
    expect(config.number('zero', 5)).toBe(0);
    expect(config.boolean('no', true)).toBe(false);
    expect(config.string('empty', 'x')).toBe('');
    expect(config.number('nothing', 5)).toBe(5);
    expect(config.get('nothing')).toBeUndefined();
  });

  test('per block: a list, or one for all', () => {
    expect(config.perBlock('list', 3)).toEqual([1, 2, 3]);
    expect(config.perBlock('zero', 2, 8)).toEqual([0, 0]);
    expect(config.perBlock('absent', 2, 8)).toEqual([8, 8]);
  });

  test('counts are whole numbers within bounds, single, in a list or per block', () => {
    expect(config.count('absent', 320)).toBe(320);
    expect(config.count('zero', 1, { least: 0 })).toBe(0);
    expect(config.counts('list')).toEqual([1, 2, 3]);
    expect(config.countPerBlock('list', 3)).toEqual([1, 2, 3]);
    expect(config.number('half', undefined, { least: 0, most: 0.5 })).toBe(0.5);
  });

  test.each([
    ['a missing number', () => config.number('absent'), 'absent is missing.'],
    ['null without a default', () => config.number('nothing'), 'nothing is missing.'],
    ['a string instead of a number', () => config.number('text', 1), 'text is "8", not a number.'],
    ['a number instead of a string', () => config.string('zero'), 'zero is 0, not a string.'],
    ['0 instead of false', () => config.boolean('zero'), 'zero is 0, not true or false.'],
    ['a number instead of a list', () => config.numbers('zero'), 'zero is 0, not a list of numbers.'],
    ['strings in a list of numbers', () => config.numbers('names'), 'names is ["a","b"], not a list of numbers.'],
    ['numbers in a list of strings', () => config.strings('list'), 'list is [1,2,3], not a list of strings.'],
    ['no things', () => config.count('zero'), 'zero is 0, not a number from 1 to 1048576.'],
    ['half a thing', () => config.count('half'), 'half is 0.5, not a whole number.'],
    ['too many things', () => config.count('huge'), 'huge is 1000000000, not a number from 1 to 1048576.'],
    ['too many things per block', () => config.countPerBlock('huge', 3), 'huge is 1000000000'],
    ['one too many in a list', () => config.counts('list', [], { most: 2 }), 'list is 3, not a number from 1 to 2.'],
    ['a number out of bounds', () => config.number('half', 1, { least: 1 }), 'half is 0.5, not a number from 1 to'],
    [
      'parts of a width',
      () => config.expectDivides('groups', 32, 48),
      'groups is 32, which does not divide 48 channels',
    ],
    ['too few for the blocks', () => config.perBlock('list', 4), 'list has 3 values for 4 blocks.'],
    [
      'a string instead of numbers per block',
      () => config.perBlock('text', 4, 1),
      'text is "8", not a list of numbers.',
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(CheckpointError);
    expect(run).toThrow(`unet/config.json: ${message}`);
  });

  test('that are not supported are named along with those that are', () => {
    config.only('text', '7', '8');
    config.only('nothing', 1);
    config.only('list', [1, 2, 3]);
    expect(() => config.only('text', '7', null)).toThrow(UnsupportedError);
    expect(() => config.only('text', '7', null)).toThrow(
      'unet/config.json: text is "8"; this version supports "7", null.',
    );
  });
});

describe('files', () => {
  const read = (text: string) => readConfig(memorySource({ 'config.json': text }), 'config.json');

  test('are read', async () => {
    expect((await read('{"a": [1]}')).numbers('a')).toEqual([1]);
  });

  test.each([
    ['{', 'is not JSON.'],
    ['', 'is not JSON: it is empty'],
    ['version https://git-lfs.github.com/spec/v1', 'is not JSON: it is a Git LFS pointer, not the file'],
    ['<!doctype html>', 'is not JSON: it is a web page (HTML)'],
    ['[]', 'is not a JSON object.'],
    ['null', 'is not a JSON object.'],
    ['3', 'is not a JSON object.'],
  ])('with the content %j are rejected', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'bad-config' });
    await expect(read(text)).rejects.toThrow(`config.json: ${message}`);
  });

  test('that are missing are named', async () => {
    const missing = readConfig(memorySource({}), 'vae/config.json');
    await expect(missing).rejects.toBeInstanceOf(SourceError);
    await expect(missing).rejects.toMatchObject({ code: 'not-found', path: 'vae/config.json' });
  });
});
