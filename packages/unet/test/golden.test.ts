import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { golden, only, unetIn } from './unet.js';

const tolerance = 1e-5;

describe('the same outputs as diffusers', () => {
  test.each(['sd1', 'sd1-inpaint', 'sd2'])('for %s at three timesteps', async (model) => {
    const folder = fixture(`models/${model}`);
    const figures = readGolden('golden.safetensors', folder);
    const unet = await unetIn(folder);
    for (const timestep of [1, 500, 999]) {
      const [sample, context] = [figures('unet.sample'), figures('unet.context')];
      const { dims, data } = await unet.predict({ sample, timestep, context });
      const want = figures(`unet.out.t${timestep}`);
      expect(dims).toEqual(want.dims);
      expect(stageError(model, data, want.data)).toBeLessThan(tolerance);
    }
    await unet.dispose?.();
    expect(unet.unusedTensors).toEqual([]);
  });

  test('for latents of 9 x 7, which do not halve evenly', async () => {
    const odd = readGolden('golden-odd-size.safetensors');
    const unet = await unetIn();
    const sample = odd('unet.sample');
    const { dims, data } = await unet.predict({ sample, timestep: 500, context: only(golden('unet.context'), 0) });
    await unet.dispose?.();
    expect(dims).toEqual([1, 4, 9, 7]);
    expect(stageError('sd1', data, odd('unet.out.t500').data)).toBeLessThan(tolerance);
  });
});
