import { describe, expect, test } from 'vitest';
import { knownRegion } from '../../../src/generate/initial/known-region.js';

describe('the known region of an image', () => {
  const image = Float32Array.of(1, 2, 3, 4);
  const noise = Float32Array.of(10, 10, 10, 10);
  const level = { alpha: 0.5, sigma: 0.1, timestep: 300 };
  const region = knownRegion({ image, noise, mask: Float32Array.of(1, 0.25, 0, 1) });
  const x = Float32Array.of(7, 7, 7, 7);

  test('is put into a sample at its noise level, and clean at the end', () => {
    expect(region.sample(x, level)).toEqual(Float32Array.of(7, 7, 2.5, 7));
    expect(region.sample(x, 'clean')).toEqual(Float32Array.of(7, 7, 3, 7));
  });

  test('is in the model’s input from the second call on, and in its estimate', async () => {
    const seen: Float32Array[] = [];
    const model = async (input: Float32Array) => {
      seen.push(input);
      return Float32Array.of(100, 100, 100, 100);
    };
    const denoise = region.denoiser(Object.assign(model, { unconditional: model }));
    expect(await denoise(x, level)).toEqual(Float32Array.of(100, 26.5, 3, 100));
    await denoise(x.slice(), level);
    expect(seen).toEqual([x, Float32Array.of(7, 7, 2.5, 7)]);
  });

  test('gives unconditional() the same array as the model', async () => {
    const seen: Float32Array[] = [];
    const model = async (input: Float32Array) => {
      seen.push(input);
      return input;
    };
    const denoise = region.denoiser(Object.assign(model, { unconditional: model }));
    await denoise(x, level);
    const next = x.slice();
    await denoise(next, level);
    await denoise.unconditional(next, level);
    expect(seen[2]).toBe(seen[1]);
    expect(seen[1]).not.toBe(next);
  });
});
