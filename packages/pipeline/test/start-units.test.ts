import { tensor, torchCpu } from '@sd/core';
import { cleanLevel, countsOf, preservingLevel, restart, schedulerFromConfig } from '@sd/scheduler';
import { describe, expect, test } from 'vitest';
import { lastSteps, stepsFor } from '../src/start/cut.js';
import { keepOutside } from '../src/start/keep.js';
import { lerp, slerp } from '../src/start/mix.js';
import { resizeLatents } from '../src/start/resize-latents.js';

describe('the steps that a strength leaves', () => {
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

  test('are the last ones, and PNDM takes one more', () => {
    const config = { beta_schedule: 'scaled_linear', steps_offset: 1, skip_prk_steps: true };
    const plan = (name: string) => lastSteps(schedulerFromConfig({ ...config, _class_name: name }).plan(10), 10, 6);
    const ddim = plan('DDIMScheduler');
    expect(ddim.levels.map(({ timestep }) => timestep)).toEqual([501, 401, 301, 201, 101, 1, 0]);
    expect(ddim.stepCount).toBe(6);
    const pndm = plan('PNDMScheduler');
    expect(pndm.levels.map(({ timestep }) => timestep)).toEqual([601, 501, 401, 301, 201, 101, 1, 0]);
    expect(pndm.stepCount).toBe(7);
  });

  test('are counted by samplers that yield more often', () => {
    const levels = [4, 3, 2, 1, 0.5].map((ratio) => preservingLevel(ratio, 100 * ratio)).concat(cleanLevel);
    const sampler = restart({ intervals: [{ min: 1, max: 2, steps: 2, times: 3 }] });
    const plan = { levels, sampler, initialSigma: 1, ...countsOf(sampler, levels) };
    expect(plan).toMatchObject({ stepCount: 11, callCount: 21 });
    expect(lastSteps(plan, 5, 4)).toMatchObject({ stepCount: 10, callCount: 19 });
    expect(lastSteps(plan, 5, 5)).toBe(plan);
  });
});

describe('between two noises', () => {
  const shape = [4, 8, 12] as const;
  const [a, b] = [torchCpu(1).randn(384), torchCpu(2).randn(384)];

  test('the ends are the noises themselves', () => {
    expect(slerp(a, b, 0, shape)).toEqual(a);
    expect(slerp(a, b, 1, shape)).toEqual(b);
  });

  test('the noise is as strong as they are, where a line would be weaker', () => {
    const deviation = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0) / x.length);
    expect(deviation(slerp(a, b, 0.5, shape))).toBeCloseTo(1, 1);
    expect(deviation(lerp(a, b, 0.5))).toBeLessThan(0.75);
  });

  test('columns turn by themselves, here by a right angle', () => {
    const [one, two] = [Float32Array.of(1, 0, 2, 0), Float32Array.of(0, 1, 0, 2)];
    const half = Math.SQRT1_2;
    expect(slerp(one, two, 0.5, [2, 2, 1])).toEqual(Float32Array.of(half, half, 2 * half, 2 * half));
  });

  test('noises that all but agree, or lie opposite, are mixed along a line', () => {
    const near = a.map((value) => value * 1.5);
    expect(slerp(a, near, 0.25, shape)).toEqual(lerp(a, near, 0.25));
    const opposite = slerp(
      a,
      a.map((value) => -value),
      0.25,
      shape,
    );
    expect(opposite.every(Number.isFinite)).toBe(true);
  });
});

describe('latents in another size', () => {
  const resized = (values: number[], size: [number, number], height: number, width: number) =>
    Array.from(resizeLatents(tensor('float32', [1, 1, ...size], Float32Array.from(values)), height, width).data);

  // torch.nn.functional.interpolate(torch.tensor(values)[None, None], size, mode='bilinear')
  test.each([
    ['twice as wide', [1, 2], [1, 2] as [number, number], 1, 4, [1, 1.25, 1.75, 2]],
    ['three to two', [0, 3, 6], [1, 3] as [number, number], 1, 2, [0.75, 5.25]],
    ['two to three', [0, 6], [2, 1] as [number, number], 3, 1, [0, 3, 6]],
    ['one to many', [5], [1, 1] as [number, number], 2, 2, [5, 5, 5, 5]],
    ['both ways', [0, 4, 8, 12], [2, 2] as [number, number], 4, 4, [0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12]],
  ])('%s', (_, values, size, height, width, want) => {
    expect(resized(values, size, height, width)).toEqual(want);
  });
});

describe('what is kept of a picture', () => {
  const image = Float32Array.of(1, 2, 3, 4);
  const noise = Float32Array.of(10, 10, 10, 10);
  const level = { alpha: 0.5, sigma: 0.1, timestep: 300 };
  const keeper = keepOutside({ image, noise, mask: Float32Array.of(1, 0.25, 0, 1) });
  const x = Float32Array.of(7, 7, 7, 7);

  test('is put into a sample as noisy as that is, and clean at the end', () => {
    expect(keeper.sample(x, level)).toEqual(Float32Array.of(7, 7, 2.5, 7));
    expect(keeper.sample(x, 'clean')).toEqual(Float32Array.of(7, 7, 3, 7));
  });

  test('is shown to the model from its second call on, and estimated as it is', async () => {
    const seen: Float32Array[] = [];
    const denoise = keeper.denoiser(async (shown) => {
      seen.push(shown);
      return Float32Array.of(100, 100, 100, 100);
    });
    expect(await denoise(x, level)).toEqual(Float32Array.of(100, 26.5, 3, 100));
    await denoise(x.slice(), level);
    expect(seen).toEqual([x, Float32Array.of(7, 7, 2.5, 7)]);
    expect('unconditional' in denoise).toBe(false);
  });

  test('is shown as the same array when the estimate without guidance is asked for', async () => {
    const seen: Float32Array[] = [];
    const model = async (shown: Float32Array) => {
      seen.push(shown);
      return shown;
    };
    const denoise = keeper.denoiser(Object.assign(model, { unconditional: model }));
    await denoise(x, level);
    const next = x.slice();
    await denoise(next, level);
    await denoise.unconditional!(next, level);
    expect(seen[2]).toBe(seen[1]);
    expect(seen[1]).not.toBe(next);
  });
});
