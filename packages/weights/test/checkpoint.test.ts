import { readFileSync } from 'node:fs';
import { CheckpointError, type Source, SourceError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../src/index.js';
import { fileOf, floats, memorySource } from './memory.js';

const stems = ['model'];
const file = await fileOf([floats('conv.weight', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]), floats('conv.bias', [2], [7, 8])]);
const shards = {
  'unet/1.safetensors': await fileOf([floats('a', [1], [1])]),
  'unet/2.safetensors': await fileOf([floats('b', [2], [2, 3])]),
};
const indexOf = (map: unknown) => JSON.stringify({ metadata: {}, weight_map: map });

const openedFrom = (files: Record<string, Uint8Array | string>) =>
  openCheckpoint(memorySource(files), 'unet', { stems });

const failure = (run: Promise<unknown>) =>
  run.then(
    () => expect.unreachable('it should not open'),
    (error: unknown) => error as Error,
  );

describe('the file that is opened', () => {
  const shard = { 'unet/shard.safetensors': file };
  const index = indexOf({ 'conv.bias': 'shard.safetensors' });
  const plain = { 'unet/model.safetensors': file, 'unet/model.safetensors.index.json': index };
  const half = {
    'unet/model.fp16.safetensors': file,
    'unet/model.safetensors.index.fp16.json': index,
    'unet/model.fp16.safetensors.index.json': index,
  };

  test.each([
    ['plain files before float16 ones', undefined, { ...plain, ...half }],
    ['a requested variant before plain files', 'fp16', { ...half, ...plain }],
  ])('%s', async (_, variant, files) => {
    const candidates = Object.entries(files);
    for (const [i, [path]] of candidates.entries()) {
      for (const sizes of [true, false]) {
        const source = memorySource({ ...shard, ...Object.fromEntries(candidates.slice(i)) }, { sizes });
        expect((await openCheckpoint(source, 'unet', { stems, variant })).name).toBe(path);
      }
    }
  });

  test('torch files after all safetensors files', async () => {
    const bin = new Uint8Array(readFileSync(new URL('data/pickle/checkpoint-deflated.ckpt', import.meta.url)));
    const torch = { 'unet/diffusion_pytorch_model.bin': bin, 'unet/pytorch_model.fp16.bin': bin };
    const names = ['diffusion_pytorch_model', 'model'];
    const opened = (files: Record<string, Uint8Array>) => openCheckpoint(memorySource(files), 'unet', { stems: names });
    expect([...(await opened(torch)).names]).toEqual(['a.weight', 'a.bias', 'n', 'b']);
    expect((await opened({ 'unet/pytorch_model.fp16.bin': bin })).name).toBe('unet/pytorch_model.fp16.bin');
    expect((await opened({ ...torch, 'unet/model.fp16.safetensors': file })).name).toBe('unet/model.fp16.safetensors');
    const shard = { 'unet/part.bin': bin, 'unet/pytorch_model.bin.index.json': indexOf({ b: 'part.bin' }) };
    const sharded = await openCheckpoint(memorySource(shard), 'unet', { stems });
    expect([...sharded.names]).toEqual(['b']);
  });

  test('the first of several stems', async () => {
    const source = memorySource({ 'vae/model.safetensors': file });
    const checkpoint = await openCheckpoint(source, 'vae', { stems: ['diffusion_pytorch_model', 'model'] });
    expect(checkpoint.name).toBe('vae/model.safetensors');
  });
});

describe('a folder without weights', () => {
  test('is rejected with the list of candidates', async () => {
    const error = await failure(openedFrom({ 'unet/model.onnx': file, 'unet/config.json': '{}' }));
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ code: 'not-found', path: 'unet' });
    expect(error.message).toBe(
      'memory has no weights in unet/: looked for unet/model.safetensors, unet/model.safetensors.index.json, ' +
        'unet/model.fp16.safetensors, unet/model.safetensors.index.fp16.json, unet/model.fp16.safetensors.index.json, ' +
        'unet/pytorch_model.bin, unet/pytorch_model.bin.index.json, unet/pytorch_model.fp16.bin, ' +
        'unet/pytorch_model.bin.index.fp16.json, unet/pytorch_model.fp16.bin.index.json.',
    );
  });

  test('passes on the error of a source that cannot be read', async () => {
    const read = async (path: string) => {
      throw new SourceError('read-failed', path, 'no permission');
    };
    const source: Source = { read };
    expect(await failure(openCheckpoint(source, 'unet', { stems }))).toMatchObject({ code: 'read-failed' });
  });
});

describe('shards', () => {
  const withIndex = (index: string) => openedFrom({ ...shards, 'unet/model.safetensors.index.json': index });

  test('make one checkpoint', async () => {
    const checkpoint = await withIndex(indexOf({ b: '2.safetensors', a: '1.safetensors' }));
    expect([...checkpoint.names].sort()).toEqual(['a', 'b']);
    expect(checkpoint.tensor('a', [1]).file.location).toBe('unet/1.safetensors');
    expect(checkpoint.tensor('b', [2]).file.location).toBe('unet/2.safetensors');
  });

  test('are rejected if a tensor of the index is missing', async () => {
    const error = await failure(withIndex(indexOf({ a: '2.safetensors' })));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'missing-tensor', tensor: 'a', file: 'unet/model.safetensors.index.json' });
    expect(error.message).toMatch(/lists a in 2\.safetensors, which does not have it/);
  });

  test('are rejected with the name of a missing shard', async () => {
    const error = await failure(withIndex(indexOf({ a: '3.safetensors' })));
    expect(error).toMatchObject({ code: 'not-found', path: 'unet/3.safetensors' });
  });

  test.each([
    ['not JSON', 'weights', /is not JSON/],
    ['null', 'null', /has no weight_map/],
    ['without a map', '{}', /has no weight_map/],
    ['an empty map', indexOf({}), /has no weight_map/],
    ['a map to numbers', indexOf({ a: 1 }), /has no weight_map/],
    ['a string instead of a map', indexOf('1.safetensors'), /has no weight_map/],
    ['a list instead of a map', indexOf(['1.safetensors']), /has no weight_map/],
  ])('are rejected with an index that is %s', async (_, index, message) => {
    const error = await failure(withIndex(index));
    expect(error).toMatchObject({ code: 'bad-checkpoint', file: 'unet/model.safetensors.index.json' });
    expect(error.message).toMatch(message);
  });
});

describe('tensors', () => {
  const opened = () => openedFrom({ 'unet/model.safetensors': file });

  test('match a shape, with or without trailing ones', async () => {
    const checkpoint = await opened();
    expect(checkpoint.tensor('conv.weight', [2, 3, 1, 1]).shape).toEqual([2, 3, 1, 1]);
    expect(checkpoint.tensor('conv.weight', [2, 3]).shape).toEqual([2, 3]);
    expect(checkpoint.tensor('conv.weight', [-1, 3]).shape).toEqual([2, 3]);
  });

  test.each([
    [[3, 2], '[3, 2]'],
    [[2], '[2]'],
    [[2, 3, 1, 1, 1], '[2, 3, 1, 1, 1]'],
    [[-1, 4], '[*, 4]'],
  ])('that do not match the shape %j are named', async (shape, expected) => {
    const checkpoint = await opened();
    const run = () => checkpoint.tensor('conv.weight', shape);
    expect(run).toThrow(CheckpointError);
    expect(run).toThrow(
      `unet/model.safetensors: the tensor conv.weight has the shape [2, 3, 1, 1], but its config asks for ${expected}.`,
    );
  });

  test('are looked up by name or prefix', async () => {
    const checkpoint = await opened();
    expect(['conv', 'conv.weight', 'conv.scale', 'con'].map((name) => checkpoint.has(name))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(() => checkpoint.tensor('conv.scale', [1])).toThrow(
      'unet/model.safetensors: has no tensor conv.scale, which its config asks for.',
    );
  });

  test('that are unused are listed', async () => {
    const checkpoint = await opened();
    expect(checkpoint.unused()).toEqual(['conv.weight', 'conv.bias']);
    checkpoint.tensor('conv.bias', [2]);
    expect(checkpoint.unused()).toEqual(['conv.weight']);
  });

  test.each(['__proto__', 'constructor', 'toString'])('are not inherited: %s', async (name) => {
    const checkpoint = await opened();
    expect(checkpoint.has(name)).toBe(false);
    expect(() => checkpoint.tensor(name, [1])).toThrow(`has no tensor ${name}`);
  });

  test('are renamed or dropped by a name table', async () => {
    const names = (name: string) => (name === 'conv.bias' ? undefined : `old.${name}`);
    const source = memorySource({ 'unet/model.safetensors': file });
    const checkpoint = await openCheckpoint(source, 'unet', { stems, names });
    expect([...checkpoint.names]).toEqual(['old.conv.weight']);
    const same = openCheckpoint(source, 'unet', { stems, names: () => 'x' });
    await expect(same).rejects.toThrow('unet/model.safetensors: has the tensor x twice, also as conv.bias.');
  });
});
