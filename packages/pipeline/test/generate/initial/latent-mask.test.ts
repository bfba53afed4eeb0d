import { tensor } from '@sd/core';
import { maskTensor } from '@sd/image';
import { describe, expect, test } from 'vitest';
import golden from '../../../../image/test/data/picture-golden.json' with { type: 'json' };
import { pixelsOf } from '../../../../image/test/support.js';
import { latentMask } from '../../../src/generate/initial/latent-mask.js';

describe('latentMask', () => {
  const mask = maskTensor(pixelsOf(golden.masks.noise.of));

  test.each(golden.interpolated)('scales to $height x $width as torch does', ({ height, width, values }) => {
    const got = latentMask(mask, height, width);
    expect(got.dims).toEqual([1, 1, height, width]);
    expect([...got.data]).toEqual(values);
  });

  test('refuses another shape', () => {
    expect(() => latentMask(tensor('float32', [1, 3, 8, 8]), 1, 1)).toThrow(
      expect.objectContaining({ code: 'bad-tensor' }),
    );
  });
});
