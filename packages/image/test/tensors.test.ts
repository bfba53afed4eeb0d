import { describe, expect, test } from 'vitest';
import { imageTensor, maskTensor } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { pixelsOf } from './support.js';

describe('imageTensor', () => {
  test('every level as in diffusers, to the last bit', () => {
    const got = imageTensor(pixelsOf(golden.tensor.of));
    expect(got.dims).toEqual([1, 3, 16, 16]);
    expect(got.data).toEqual(Float32Array.from(golden.tensor.values));
  });

  test('composites transparent pixels onto white, as Pillow does', () => {
    expect(imageTensor(pixelsOf(golden.sources.RGBA))).toEqual(imageTensor(pixelsOf(golden.onWhite)));
  });
});

describe('maskTensor', () => {
  test.each(Object.entries(golden.masks))('%s thresholded as in diffusers', (_, { of, values }) => {
    const got = maskTensor(pixelsOf(of));
    expect(got.dims).toEqual([1, 1, of.height, of.width]);
    expect([...got.data]).toEqual(values);
  });

  test('ignores alpha', () => {
    const data = Uint8Array.of(255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 0, 0, 255);
    expect([...maskTensor({ width: 4, height: 1, data }).data]).toEqual([1, 0, 1, 0]);
  });
});
