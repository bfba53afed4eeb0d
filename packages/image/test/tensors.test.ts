import { describe, expect, test } from 'vitest';
import { maskTensor, pictureTensor } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { pixelsOf } from './support.js';

describe('pictureTensor', () => {
  test('every level as diffusers has it, to the last bit', () => {
    const got = pictureTensor(pixelsOf(golden.tensor.of));
    expect(got.dims).toEqual([1, 3, 16, 16]);
    expect(got.data).toEqual(Float32Array.from(golden.tensor.values));
  });

  test('what is not opaque lies on white, as Pillow composes', () => {
    expect(pictureTensor(pixelsOf(golden.sources.RGBA))).toEqual(pictureTensor(pixelsOf(golden.onWhite)));
  });
});

describe('maskTensor', () => {
  test.each(Object.entries(golden.masks))('%s as diffusers cuts it', (_, { of, values }) => {
    const got = maskTensor(pixelsOf(of));
    expect(got.dims).toEqual([1, 1, of.height, of.width]);
    expect([...got.data]).toEqual(values);
  });

  test('alpha has no part', () => {
    const data = Uint8Array.of(255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 0, 0, 255);
    expect([...maskTensor({ width: 4, height: 1, data }).data]).toEqual([1, 0, 1, 0]);
  });
});
