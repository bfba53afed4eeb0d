import { describe, expect, test } from 'vitest';
import { readGolden, relativeError } from '../../../fixtures/golden.js';
import { golden, input, only, unetIn } from './unet.js';

const tolerance = 1e-5;

describe('the numbers of diffusers', () => {
  test.each([1, 500, 999])('at t = %i', async (t) => {
    const unet = await unetIn();
    const { dims, data } = await unet.predict(input(t));
    await unet.dispose?.();
    const want = golden(`unet.out.t${t}`);
    expect(dims).toEqual(want.dims);
    expect(relativeError(data, want.data)).toBeLessThan(tolerance);
    expect(unet.unusedTensors).toEqual([]);
  });

  test('for latents of 9 x 7, which halve unevenly', async () => {
    const odd = readGolden('golden-odd-size.safetensors');
    const unet = await unetIn();
    const sample = odd('unet.sample');
    const { dims, data } = await unet.predict({ sample, timestep: 500, context: only(golden('unet.context'), 0) });
    await unet.dispose?.();
    expect(dims).toEqual([1, 4, 9, 7]);
    expect(relativeError(data, odd('unet.out.t500').data)).toBeLessThan(tolerance);
  });
});
