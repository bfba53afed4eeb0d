import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { golden, input, mmditIn, only } from './mmdit.js';

const tolerance = 1e-5;

describe('diffusers’ numbers', () => {
  test('for 3.5, at three timesteps', async () => {
    const mmdit = await mmditIn();
    for (const timestep of [1, 500, 999]) {
      const { dims, data } = await mmdit.predict(input(timestep));
      const expected = golden(`transformer.out.t${timestep}`);
      expect(dims).toEqual(expected.dims);
      expect(stageError('sd3', data, expected.data)).toBeLessThan(tolerance);
    }
    await mmdit.dispose?.();
    expect(mmdit.unusedTensors).toEqual([]);
  });

  test('for latents of 6 x 10, which cannot be centred exactly among the positions', async () => {
    const mmdit = await mmditIn();
    const { context, conditions } = input(500);
    const { dims, data } = await mmdit.predict({
      sample: golden('transformer.odd.sample'),
      timestep: 500,
      context: only(context, 0),
      conditions: { pooled_projections: only(conditions?.pooled_projections ?? golden('transformer.pooled'), 0) },
    });
    await mmdit.dispose?.();
    expect(dims).toEqual([1, 16, 6, 10]);
    expect(stageError('sd3', data, golden('transformer.odd.out.t500').data)).toBeLessThan(tolerance);
  });

  test('for the first version, without second attentions and normalized heads', async () => {
    const folder = fixture('models/sd3-medium');
    const figures = readGolden('golden.safetensors', folder);
    const mmdit = await mmditIn(folder);
    const { data } = await mmdit.predict({
      sample: figures('transformer.sample'),
      timestep: 500,
      context: figures('transformer.context'),
      conditions: { pooled_projections: figures('transformer.pooled') },
    });
    await mmdit.dispose?.();
    expect(stageError('sd3-medium', data, figures('transformer.out.t500').data)).toBeLessThan(tolerance);
    expect(mmdit.unusedTensors).toEqual([]);
  });
});
