import { describe, expect, test } from 'vitest';
import { schedulerClasses } from '../src/index.js';
import { goldenCases, runGolden, sumAbs } from './support/golden.js';

const relative = (value: number, expected: number) => Math.abs(value - expected) / Math.max(Math.abs(expected), 1e-6);

describe.each(goldenCases.filter(({ cls }) => schedulerClasses.includes(cls)))('$name', (golden) => {
  test('matches diffusers', async () => {
    const { timesteps, means, final } = await runGolden(golden);
    expect(timesteps.length).toBe(golden.timesteps.length);
    timesteps.forEach((t, i) => {
      expect(t, `timestep ${i}`).toBeCloseTo(golden.timesteps[i], 3);
    });
    for (const { mean, calls } of means) {
      const expected = golden.abs_mean_per_step[calls - 1];
      expect(relative(mean, expected), `mean after call ${calls}: ${mean} for ${expected}`).toBeLessThan(2e-5);
    }
    expect(means.at(-1)!.calls).toBe(golden.timesteps.length);
    expect(relative(sumAbs(final), golden.final_sum_abs)).toBeLessThan(2e-5);
    const scale = Math.max(...final.map(Math.abs));
    golden.final_first8.forEach((expected, i) => {
      expect(Math.abs(final[i] - expected) / scale, `value ${i}: ${final[i]} for ${expected}`).toBeLessThan(2e-5);
    });
  });
});
