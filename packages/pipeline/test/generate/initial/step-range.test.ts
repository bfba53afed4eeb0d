import { cleanLevel, countsOf, preservingLevel, restart, schedulerFromConfig } from '@sd/scheduler';
import { describe, expect, test } from 'vitest';
import { lastSteps, stepsFor } from '../../../src/generate/initial/step-range.js';

describe('the steps that a strength keeps', () => {
  test.each([
    [10, 0.6, 6],
    [10, 0.3, 3],
    [20, 0.29, 5],
    [8, 0.9, 7],
    [7, 1, 7],
    [3, 0.3, 0],
  ])('%d steps, %d: %d', (steps, strength, kept) => {
    expect(stepsFor(steps, strength)).toBe(kept);
  });

  test('are the last ones; PNDM takes one more', () => {
    const config = { beta_schedule: 'scaled_linear', steps_offset: 1, skip_prk_steps: true };
    const plan = (name: string) => lastSteps(schedulerFromConfig({ ...config, _class_name: name }).plan(10), 10, 6);
    const ddim = plan('DDIMScheduler');
    expect(ddim.levels.map(({ timestep }) => timestep)).toEqual([501, 401, 301, 201, 101, 1, 0]);
    expect(ddim.stepCount).toBe(6);
    const pndm = plan('PNDMScheduler');
    expect(pndm.levels.map(({ timestep }) => timestep)).toEqual([601, 501, 401, 301, 201, 101, 1, 0]);
    expect(pndm.stepCount).toBe(7);
  });

  test('are counted by samplers that take more steps than levels', () => {
    const levels = [4, 3, 2, 1, 0.5].map((ratio) => preservingLevel(ratio, 100 * ratio)).concat(cleanLevel);
    const sampler = restart({ intervals: [{ min: 1, max: 2, steps: 2, times: 3 }] });
    const plan = { levels, sampler, initialSigma: 1, ...countsOf(sampler, levels) };
    expect(plan).toMatchObject({ stepCount: 11, callCount: 21 });
    expect(lastSteps(plan, 5, 4)).toMatchObject({ stepCount: 10, callCount: 19 });
    expect(lastSteps(plan, 5, 5)).toBe(plan);
  });
});
