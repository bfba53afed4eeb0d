import { describe, expect, test } from 'vitest';
import {
  openSafetensors,
  reshapeView,
  sliceView,
  type TensorToWrite,
  type TensorView,
  toFloat32,
} from '../src/index.js';
import { fileOf, floats, memorySource } from './memory.js';

async function valuesOf({ dtype, file, offset, length }: TensorView): Promise<Float32Array> {
  return toFloat32(dtype, (await file.read()).subarray(offset, offset + length));
}

const half = (name: string, shape: readonly number[], bits: readonly number[]): TensorToWrite => ({
  name,
  dtype: 'F16',
  shape,
  bytes: async () => new Uint8Array(Uint16Array.from(bits).buffer),
});

describe('a written file is read back', () => {
  const tensors = [
    half('odd', [3], [0x3c00, 0xc000, 0x7bff]),
    floats('matrix', [2, 3], [1, -2.5, 3e38, 1e-45, -0, 6]),
    floats('nothing', [0, 4], []),
    floats('single', [], [7]),
    floats('ключ.重み.🚗', [1], [0.1]),
    floats('__proto__', [1], [8]),
    floats('constructor', [1], [9]),
    floats('1', [1], [10]),
  ];

  test('with names, types, shapes and values', async () => {
    const bytes = await fileOf(tensors, { format: 'pt', title: '青い車 🚗' });
    const { tensors: read, metadata } = await openSafetensors(memorySource({ x: bytes }), 'x');
    expect(metadata).toEqual({ format: 'pt', title: '青い車 🚗' });
    expect(new Set(read.keys())).toEqual(new Set(tensors.map(({ name }) => name)));
    for (const { name, dtype, shape } of tensors) expect(read.get(name)).toMatchObject({ dtype, shape });
    expect(await valuesOf(read.get('odd')!)).toEqual(Float32Array.of(1, -2, 65504));
    expect(await valuesOf(read.get('matrix')!)).toEqual(Float32Array.of(1, -2.5, 3e38, 1e-45, -0, 6));
    expect(await valuesOf(read.get('nothing')!)).toEqual(new Float32Array(0));
    expect(await valuesOf(read.get('ключ.重み.🚗')!)).toEqual(Float32Array.of(0.1));
    expect(await valuesOf(read.get('__proto__')!)).toEqual(Float32Array.of(8));
    expect(await valuesOf(read.get('1')!)).toEqual(Float32Array.of(10));
  });

  test('with data that starts at a multiple of eight', async () => {
    for (const name of ['a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg', 'abcdefgh']) {
      const { tensors: read } = await openSafetensors(memorySource({ x: await fileOf([floats(name, [1], [5])]) }), 'x');
      expect(read.get(name)!.offset % 8).toBe(0);
      expect(await valuesOf(read.get(name)!)).toEqual(Float32Array.of(5));
    }
  });

  test('even without tensors', async () => {
    const { tensors: read, metadata } = await openSafetensors(memorySource({ x: await fileOf([]) }), 'x');
    expect([...read]).toEqual([]);
    expect(metadata).toEqual({ format: 'pt' });
  });
});

describe('invalid files are not written:', () => {
  test('bytes that do not fill the shape', async () => {
    await expect(fileOf([floats('a', [3], [1, 2])])).rejects.toThrow(
      new RangeError('a: got 8 bytes, but [3] takes 12.'),
    );
  });

  test.each([
    ['a', 'a'],
    ['__metadata__', '__metadata__'],
  ])('a duplicate name, %s', async (name, message) => {
    const run = fileOf([floats('a', [1], [1]), floats(name, [1], [2])]);
    await expect(run).rejects.toThrow(new RangeError(`Two entries are named ${message}: names must be unique.`));
  });
});

describe('values', () => {
  const of16 = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);

  // torch: x = tensor([...]); x.half().view(torch.int16), x.half().float()
  test('of half precision: zeros, largest, smallest normal and subnormal, infinities, NaN', () => {
    const bits = [0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x03ff, 0x7c00, 0xfc00, 0x7e00, 11878, 16968];
    const expected = [
      0,
      -0,
      1,
      -2,
      65504,
      2 ** -14,
      2 ** -24,
      1023 * 2 ** -24,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      0.0999755859375,
      3.140625,
    ];
    expect(toFloat32('F16', of16(...bits))).toEqual(Float32Array.from(expected));
  });

  test('of bfloat16', () => {
    const bits = [0x0000, 0x8000, 0x3f80, 0xff80, 0x7f80, 0x7fff, 15821, 16457];
    const expected = [
      0,
      -0,
      1,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      0.10009765625,
      3.140625,
    ];
    expect(toFloat32('BF16', of16(...bits))).toEqual(Float32Array.from(expected));
  });

  test.each([Uint8Array, Buffer])('of bytes at any alignment, in a %o', (type) => {
    const bytes = type.from([0xaa, ...new Uint8Array(Float32Array.of(1.5, -2).buffer)]).subarray(1);
    const odd = bytes.byteOffset % 4 === 0 ? type.from([0, ...bytes]).subarray(1) : bytes;
    expect(toFloat32('F32', odd)).toEqual(Float32Array.of(1.5, -2));
    const halves = type.from([0xaa, ...of16(0x3c00, 0xc000)]).subarray(1);
    expect(toFloat32('F16', halves)).toEqual(Float32Array.of(1, -2));
  });
});

describe('views', () => {
  const opened = async () => {
    const bytes = await fileOf([
      floats('pad', [1], [0]),
      floats(
        'w',
        [4, 3],
        Array.from({ length: 12 }, (_, i) => i),
      ),
    ]);
    return (await openSafetensors(memorySource({ x: bytes }), 'x')).tensors.get('w')!;
  };

  test('rows of a matrix, without copying', async () => {
    const rows = sliceView(await opened(), 1, 3);
    expect(rows.shape).toEqual([2, 3]);
    expect(await valuesOf(rows)).toEqual(Float32Array.of(3, 4, 5, 6, 7, 8));
    expect(await valuesOf(sliceView(rows, 1, 2))).toEqual(Float32Array.of(6, 7, 8));
  });

  test('another shape of the same size', async () => {
    const view = await opened();
    expect(await valuesOf(sliceView(reshapeView(view, [2, 6]), 1, 2))).toEqual(Float32Array.of(6, 7, 8, 9, 10, 11));
    expect(() => reshapeView(view, [5])).toThrow('x: the tensor w of shape [4,3] cannot be read as [5].');
  });
});
