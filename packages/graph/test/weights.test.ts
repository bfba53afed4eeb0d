import { createNodeBackend } from '@sd/backend-node';
import { tensor, UnsupportedError } from '@sd/core';
import {
  type Checkpoint,
  openCheckpoint,
  openSafetensors,
  openWeights,
  sliceView,
  splitByRange,
  type TensorToWrite,
  type TensorView,
  toFloat32,
  toHalf,
  transposeView,
} from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { fileOf, floats, memorySource } from '../../weights/test/memory.js';
import { Graph, Scope } from '../src/index.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const openedFrom = async (...tensors: TensorToWrite[]): Promise<Checkpoint> =>
  openCheckpoint(memorySource({ 'm/model.safetensors': await fileOf(tensors) }), 'm', { stems: ['model'] });

/** The output of one linear layer for one row. */
const outputOf = async (w: Scope, x: readonly number[], out: number) => {
  const g = new Graph();
  g.output('y', g.linear(g.input('x', [1, x.length]), w, out));
  const session = await backend.load(g.finish('test', { repeated: false }));
  const { y } = await session.run({ x: tensor('float32', [1, x.length], Float32Array.from(x)) });
  await session.dispose();
  return Array.from(y.data as Float32Array);
};

/** The value of an 8-bit float with this many exponent bits, from its definition. */
function float8Of(byte: number, exponentBits: number): number {
  const fractionBits = 7 - exponentBits;
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte & 0x7f) >> fractionBits;
  const fraction = (byte & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponentBits === 4 && (byte & 0x7f) === 0x7f) return Number.NaN;
  if (exponentBits === 5 && exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const float8Tensor = (
  name: string,
  dtype: 'F8_E4M3' | 'F8_E5M2',
  bytes: Uint8Array,
  shape = [bytes.length],
): TensorToWrite => ({
  name,
  dtype,
  shape,
  bytes: () => bytes,
});

test('missing tensors are named with their module', async () => {
  const checkpoint = await openedFrom(
    floats('conv.weight', [2, 3], [1, 2, 3, 4, 5, 6]),
    floats('conv.bias', [2], [7, 8]),
  );
  const conv = new Scope(checkpoint).at('conv');
  expect([conv.has('weight'), conv.has('scale'), new Scope(checkpoint).has('conv')]).toEqual([true, false, true]);
  expect(new Scope(checkpoint).has('con')).toBe(false);
  const run = () => conv.at('inner', 0).tensor('weight', [1]);
  expect(run).toThrow('m/model.safetensors: has no tensor conv.inner.0.weight, which its config asks for.');
});

describe('8-bit floats', () => {
  test.each([
    ['F8_E4M3', 4],
    ['F8_E5M2', 5],
  ] as const)('%s: all 256 values are exact in half precision', async (dtype, exponentBits) => {
    const checkpoint = await openedFrom(float8Tensor('a', dtype, all), floats('b', [3], [1, 2, 3]));
    const view = checkpoint.tensor('a', [256]);
    expect([view.dtype, view.length]).toEqual(['F16', 512]);
    expect(Array.from(toFloat32('F16', await view.file.read()))).toEqual(
      Array.from(all, (byte) => float8Of(byte, exponentBits)),
    );
  });

  test('run in one graph with other types of the same file', async () => {
    const checkpoint = await openedFrom(
      float8Tensor('fc.weight', 'F8_E4M3', Uint8Array.of(0x38, 0xc0, 0x01, 0x7e), [2, 2]),
      floats('fc.bias', [2], [10, 20]),
    );
    // 1, -2; 2^-9, 448
    expect(await outputOf(new Scope(checkpoint).at('fc'), [1, 1], 2)).toEqual([9, Math.fround(468 + 2 ** -9)]);
  });

  test('with scales are rejected, since the values would be wrong without them', async () => {
    const scaled = openedFrom(float8Tensor('fc.weight', 'F8_E4M3', all), floats('fc.scale_weight', [1], [3]));
    await expect(scaled).rejects.toBeInstanceOf(UnsupportedError);
    await expect(scaled).rejects.toThrow('8-bit floats have scales (fc.scale_weight)');
  });
});

describe('a matrix that is stored transposed', () => {
  test('multiplies correctly', async () => {
    const plain = await openedFrom(floats('fc.weight', [2, 3], [1, 2, 3, 4, 5, 6]));
    const transposed = await openedFrom(floats('fc.weight', [3, 2], [1, 4, 2, 5, 3, 6]));
    const view = transposeView(transposed.tensor('fc.weight', [3, 2]));
    expect([view.shape, transposeView(view).shape, transposeView(view).transposed]).toEqual([[2, 3], [3, 2], false]);
    const lookup = { has: (name: string) => name === 'fc.weight', tensor: () => view };
    const expected = await outputOf(new Scope(plain).at('fc'), [1, 10, 100], 2);
    expect(expected).toEqual([321, 654]);
    expect(await outputOf(new Scope(lookup).at('fc'), [1, 10, 100], 2)).toEqual(expected);
  });

  test('has no contiguous rows', async () => {
    const checkpoint = await openedFrom(floats('a', [2, 3], [1, 2, 3, 4, 5, 6]));
    expect(() => sliceView(transposeView(checkpoint.tensor('a', [2, 3])), 0, 1)).toThrow(RangeError);
  });
});

describe('a tensor with another to be added', () => {
  test.each(['F32', 'F16'] as const)('is their sum, whole, in parts and transposed; the first is %s', async (dtype) => {
    const values = [1, 2, 3, 4, 5, 6];
    const base = { ...floats('fc.weight', [2, 3], values), dtype };
    const half = { ...base, bytes: () => new Uint8Array(toHalf(Float32Array.from(values)).buffer) };
    const [a, b] = [
      await openedFrom(dtype === 'F16' ? half : base),
      await openedFrom(floats('fc.weight', [2, 3, 1, 1], [10, 20, 30, 40, 50, 60])),
    ];
    const view = { ...a.tensor('fc.weight', [2, 3]), plus: b.tensor('fc.weight', [2, 3]) };
    const multiplied = (weight: TensorView, input: number[], out: number) => {
      const lookup = { has: (name: string) => name === 'fc.weight', tensor: () => weight };
      return outputOf(new Scope(lookup).at('fc'), input, out);
    };
    expect(await multiplied(view, [1, 10, 100], 2)).toEqual([3531, 7194]);
    expect(await multiplied(sliceView(view, 1, 2), [1, 10, 100], 1)).toEqual([7194]);
    expect(await multiplied(transposeView(view), [1, 10], 3)).toEqual([451, 572, 693]);
  });
});

describe('tensors of a file that cannot be mapped', () => {
  const far = 2 ** 20 + 16;
  const written = fileOf([
    floats('a', [2], [1, 2]),
    floats('other', [far / 4], new Array(far / 4).fill(9)),
    floats('b', [1], [3]),
    floats('c', [1], [4]),
  ]);

  test('are read without the rest, neighbours together', async () => {
    const bytes = await written;
    const ranges: unknown[] = [];
    const memory = memorySource({ x: bytes });
    const source = {
      ...memory,
      read: async (path: string, range?: { start: number; end: number }) => {
        ranges.push(range === undefined ? 'all' : range.end - range.start);
        return memory.read(path, range);
      },
    };
    const { tensors } = await openWeights(source, 'x');
    const selected = new Map([...tensors].filter(([name]) => name !== 'other'));
    const parts = splitByRange(source, 'x', selected);
    expect(new Set([...parts.values()].map(({ file }) => file)).size).toBe(2);
    expect(parts.get('b')!.file).toBe(parts.get('c')!.file);
    ranges.length = 0;
    for (const [name, values] of [
      ['a', [1, 2]],
      ['b', [3]],
      ['c', [4]],
    ] as const) {
      const { file, offset, length } = parts.get(name)!;
      expect(Array.from(toFloat32('F32', (await file.read()).slice(offset, offset + length)))).toEqual(values);
    }
    expect(ranges).toEqual([8, 8, 8]);
  });

  test('are rejected if the file has changed', async () => {
    const files = { x: await written };
    const { tensors } = await openSafetensors(memorySource(files), 'x');
    const parts = splitByRange(memorySource(files), 'x', tensors);
    files.x = files.x.subarray(0, files.x.length - 2);
    await expect(parts.get('c')!.file.read()).rejects.toMatchObject({ code: 'bad-checkpoint' });
  });

  test('stay in their file if it is on disk', async () => {
    const source = { ...memorySource({ x: await written }), realPath: async () => '/x' };
    const { tensors } = await openWeights(source, 'x');
    expect(splitByRange(source, 'x', tensors)).toBe(tensors);
  });
});

test('files of two sources may have the same path', async () => {
  const [a, b] = [await openedFrom(floats('a', [2], [1, 2])), await openedFrom(floats('b', [2], [3, 4]))];
  const g = new Graph();
  g.output('y', g.add(g.weight(a.tensor('a', [2])), g.weight(b.tensor('b', [2]))));
  const session = await backend.load(g.finish('test', { repeated: false }));
  const { y } = await session.run({});
  await session.dispose();
  expect(Array.from(y.data as Float32Array)).toEqual([4, 6]);
});

test('hooks of norms add to scale and shift, those of several extensions together', async () => {
  const w = new Scope(await openedFrom(floats('norm.weight', [2], [1, 2]), floats('norm.bias', [2], [0, 1])));
  const normalized = async (module: string) => {
    const g = new Graph();
    for (const extension of [1, 2]) {
      const values = () => g.constant([extension, extension]);
      g.addHooks({ norm: (norm) => (norm.module === module ? { scale: values(), shift: values() } : undefined) });
    }
    const input = g.input('x', [1, 2, 1, 2]);
    g.output('group', g.groupNorm(input, w.at('norm'), { groups: 2, epsilon: 0 }));
    g.output('layer', g.layerNorm(input, w.at('norm'), 0));
    const session = await backend.load(g.finish('test', { repeated: false }));
    const { group, layer } = await session.run({ x: tensor('float32', [1, 2, 1, 2], Float32Array.of(3, 5, 2, 9)) });
    await session.dispose();
    return [group, layer].map(({ data }) => Array.from(data as Float32Array, (value) => Math.round(value * 1e4) / 1e4));
  };
  expect(await normalized('other')).toEqual([
    [-1, 1, -1, 3],
    [-1, 3, -1, 3],
  ]);
  expect(await normalized('norm')).toEqual([
    [-1, 7, -1, 9],
    [-1, 9, -1, 9],
  ]);
});
