import { readFileSync } from 'node:fs';
import { sizeOf, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { Checkpoint, openWeights, type TensorToWrite, type TensorView, toFloat32 } from '../src/index.js';
import { fileOf, floats, memorySource } from './memory.js';

// Made by data/make_number_types.py.
const made = (name: string) => new Uint8Array(readFileSync(new URL(`data/number-types/${name}`, import.meta.url)));
const names = [
  ...['float64', 'float32', 'float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz'],
  ...['float8_e5m2fnuz', 'int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8', 'bool'],
];

async function valuesOf({ dtype, file, offset, length }: TensorView): Promise<number[]> {
  return Array.from(toFloat32(dtype, (await file.read()).slice(offset, offset + length)));
}

describe.each(['all.safetensors', 'all.pt'])(
  '%s: tensors of a type have the values that torch casts them to',
  (name) => {
    test.each(names)('%s', async (type) => {
      const { tensors, stored } = await openWeights(memorySource({ x: made(name) }), 'x');
      const view = tensors.get(type)!;
      expect(view.shape).toEqual(stored.get(type)!.shape);
      expect(view.dtype).toMatch(/^(F32|F16|BF16)$/);
      expect(await valuesOf(view)).toEqual(await valuesOf(tensors.get(`${type}.f32`)!));
    });

    test('and are reported as the types that the file has', async () => {
      const { stored } = await openWeights(memorySource({ x: made(name) }), 'x');
      const types = names.map((type) => stored.get(type)!.dtype);
      expect(types.slice(0, 8).join(' ')).toBe('F64 F32 F16 BF16 F8_E4M3 F8_E5M2 F8_E4M3FNUZ F8_E5M2FNUZ');
      expect(types.slice(8).join(' ')).toBe('I64 I32 I16 I8 U64 U32 U16 U8 BOOL');
    });
  },
);

const doubles = (name: string, values: readonly number[]): TensorToWrite => ({
  name,
  dtype: 'F64',
  shape: [values.length],
  bytes: () => new Uint8Array(Float64Array.from(values).buffer),
});

test('a large tensor is read and converted in pieces', async () => {
  const count = 2 ** 22 + 3;
  const wide = {
    ...doubles('a', []),
    shape: [count],
    bytes: () => new Uint8Array(Float64Array.from({ length: count }, (_, i) => i / 3).buffer),
  };
  const source = memorySource({ x: await fileOf([wide]) });
  const lengths: number[] = [];
  const read: typeof source.read = async (path, range, signal) => {
    const bytes = await source.read(path, range, signal);
    lengths.push(bytes.length);
    return bytes;
  };
  const view = (await openWeights({ ...source, read }, 'x')).tensors.get('a')!;
  lengths.length = 0;
  const values = toFloat32(view.dtype, await view.file.read());
  expect(lengths).toEqual([2 ** 25, 24]);
  expect([values.length, values[2 ** 22 - 1], values[2 ** 22 + 2]]).toEqual([
    count,
    Math.fround((2 ** 22 - 1) / 3),
    Math.fround((2 ** 22 + 2) / 3),
  ]);
});

describe('a checkpoint on disk', () => {
  const onDisk = async (tensors: readonly TensorToWrite[]) => {
    const source = {
      ...memorySource({ x: await fileOf(tensors) }),
      realPath: async (path: string) => `/models/${path}`,
    };
    return new Checkpoint('x', (await openWeights(source, 'x')).tensors);
  };
  const files = (checkpoint: Checkpoint) =>
    [...checkpoint.names].map((name) => checkpoint.tensor(name, [-1]).file.path);

  test('stays in place, with positions and counters of other types', async () => {
    const ids = { ...doubles('embeddings.position_ids', [0, 1]) };
    expect(files(await onDisk([floats('a', [2], [1, 2]), ids]))).toEqual(['/models/x', undefined]);
  });

  test('with converted weights is read tensor by tensor, since a graph would read the whole file', async () => {
    const checkpoint = await onDisk([floats('a', [2], [1, 2]), doubles('b', [3, 4]), floats('c', [1], [5])]);
    expect(files(checkpoint)).toEqual([undefined, undefined, undefined]);
    const views = [...checkpoint.names].map((name) => checkpoint.tensor(name, [-1]));
    expect(await Promise.all(views.map(valuesOf))).toEqual([[1, 2], [3, 4], [5]]);
    expect(await Promise.all(views.map(async ({ shape, file }) => (await file.read()).length / sizeOf(shape)))).toEqual(
      [4, 4, 4],
    );
    expect(new Set(views.map(({ file }) => file.location)).size).toBe(3);
  });
});

test.each([
  ['fc.scale_weight', '8-bit floats have scales'],
  ['fc.weight_scale', 'weights have scales'],
  ['fc.comfy_quant', 'weights have scales'],
  ['fc.weight.quant_state.bitsandbytes__nf4', 'quantized by bitsandbytes'],
  ['fc.weight.SCB', 'quantized by bitsandbytes'],
  ['fc.qweight', 'quantized by GPTQ or AWQ'],
  ['fc.weight._data', 'quantized by Quanto'],
])('weights whose values are elsewhere in the file are refused by name: %s', async (name, message) => {
  const bytes: TensorToWrite = { name: 'fc.weight', dtype: 'I8', shape: [2], bytes: () => Uint8Array.of(1, 2) };
  const opened = openWeights(memorySource({ x: await fileOf([bytes, floats(name, [1], [3])]) }), 'x');
  await expect(opened).rejects.toBeInstanceOf(UnsupportedError);
  await expect(opened).rejects.toThrow(message);
});
