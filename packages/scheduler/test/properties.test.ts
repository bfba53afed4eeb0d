import { getEventListeners } from 'node:events';
import type { NoiseLevel, Sampler } from '@sd/core';
import { describe, expect, test } from 'vitest';
import {
  alignYourSteps,
  alphasCumprodOf,
  betaSigmas,
  comfyBeta,
  cosineBetas,
  createScheduler,
  discreteSchedule,
  exponentialSigmas,
  fixedSigmas,
  fixedTimesteps,
  flowSchedule,
  karrasSigmas,
  linearBetas,
  logLinear,
  noiseRatio,
  polyexponentialSigmas,
  rescaleZeroTerminalSnr,
  type Spacing,
  scaledLinearBetas,
  schedulerClasses,
  schedulerFromConfig,
  sgmUniform,
  sigmaSpacing,
  simple,
  timestepSpacing,
} from '../src/index.js';
import { isFalling, schedulerSuite, testNoise } from '../src/testing.js';
import { everySampler } from './support/every-sampler.js';

const latent = discreteSchedule(alphasCumprodOf(scaledLinearBetas()));
const zeroSnr = discreteSchedule(alphasCumprodOf(rescaleZeroTerminalSnr(scaledLinearBetas())));
const flow = flowSchedule({ shift: 3 });

const spacings: Record<string, Spacing> = {
  leading: timestepSpacing('leading', { offset: 1 }),
  trailing: timestepSpacing('trailing'),
  linspace: timestepSpacing('linspace'),
  karras: sigmaSpacing(karrasSigmas),
  exponential: sigmaSpacing(exponentialSigmas),
  polyexponential: sigmaSpacing((steps, min, max) => polyexponentialSigmas(steps, min, max, 2)),
  beta: sigmaSpacing(betaSigmas),
  comfyBeta: comfyBeta(),
  logLinear,
  simple,
  sgmUniform,
  alignYourSteps: alignYourSteps('sd1'),
};

/** A bounded, strongly nonlinear denoiser. */
const nonlinear = async (x: Float32Array, { sigma, timestep }: { sigma: number; timestep: number }) =>
  x.map((value) => Math.sin(3 * value + sigma) * Math.cos(timestep / 50));

async function finalOf(sampler: Sampler, levels: Parameters<Sampler>[2]): Promise<Float32Array> {
  const noise = testNoise(7, 8);
  let x = noise();
  for await (const step of sampler(nonlinear, x, levels, { noise })) x = step.x;
  return x;
}

describe.each(Object.entries(spacings))('the spacing %s', (name, spacing) => {
  test.each([1, 2, 3, 7, 20, 199, 200])('plans %d steps', (steps) => {
    for (const schedule of [latent, zeroSnr, flow]) {
      const levels = spacing(schedule, steps);
      if (name === 'comfyBeta') expect(levels.length).toBeLessThanOrEqual(steps + 1);
      else expect(levels).toHaveLength(steps + 1);
      expect(isFalling(levels)).toBe(true);
      expect(levels.every(({ alpha, sigma }) => Number.isFinite(alpha + sigma))).toBe(true);
    }
  });

  test.each(Object.entries(everySampler))('keeps %s finite', async (_, { make }) => {
    for (const schedule of [latent, zeroSnr, flow]) {
      for (const steps of [1, 2, 3, 4, 5, 9, 26]) {
        const { levels } = createScheduler({ schedule, spacing, sampler: make() }).plan(steps);
        const x = await finalOf(make(), levels);
        expect(x.every(Number.isFinite), `${steps} steps: ${x}`).toBe(true);
      }
    }
  });
});

test.each(Object.entries(everySampler))('%s stays finite over 200 steps and is reproducible', async (_, { make }) => {
  const { levels } = createScheduler({ schedule: latent, spacing: spacings.karras, sampler: make() }).plan(200);
  const [first, second] = [await finalOf(make(), levels), await finalOf(make(), levels)];
  expect(first.every((value) => Math.abs(value) < 1e4)).toBe(true);
  expect(second).toEqual(first);
});

/** Reproducible numbers from 0 to 1: mulberry32. */
function uniformFrom(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

const schedules = {
  linear: discreteSchedule(alphasCumprodOf(linearBetas())),
  'scaled linear': latent,
  cosine: discreteSchedule(alphasCumprodOf(cosineBetas())),
  'zero terminal SNR': zeroSnr,
  'trained on 200 steps': discreteSchedule(alphasCumprodOf(linearBetas(200, 0.001, 0.08))),
  flow: flowSchedule(),
  'flow, shift 3': flow,
};

/** Explicit lists with random, uneven steps. */
const lists: Record<string, (uniform: () => number) => Spacing> = {
  fixedSigmas: (uniform) => (schedule, steps) => {
    const [min, max] = [Math.log(schedule.sigmas[0]), Math.log(schedule.sigmas.at(-1)!)];
    const sigmas = Array.from({ length: steps }, () => Math.exp(min + (max - min) * uniform()));
    return fixedSigmas(sigmas.sort((a, b) => b - a))(schedule, steps);
  },
  fixedTimesteps: (uniform) => (schedule, steps) => {
    const all = Array.from({ length: schedule.trainTimesteps }, (_, timestep) => ({ timestep, rank: uniform() }));
    const picked = all.sort((a, b) => a.rank - b.rank).slice(0, steps);
    const timesteps = picked.map(({ timestep }) => timestep).sort((a, b) => b - a);
    return fixedTimesteps(timesteps)(schedule, steps);
  },
};

const anySpacing = {
  ...Object.fromEntries(Object.entries(spacings).map(([name, spacing]) => [name, () => spacing])),
  ...lists,
};

const cases = Array.from({ length: 300 }, (_, seed) => {
  const uniform = uniformFrom(seed);
  const pick = <T>(from: Record<string, T>): [string, T] => {
    const entries = Object.entries(from);
    return entries[Math.floor(entries.length * uniform())];
  };
  const [[scheduleName, schedule], [spacingName, makeSpacing], [samplerName, { make }]] = [
    pick(schedules),
    pick(anySpacing),
    pick(everySampler),
  ];
  const steps = 1 + Math.floor(200 * uniform());
  const name = `${seed}: ${samplerName}, ${spacingName}, ${scheduleName}, ${steps} steps`;
  return [name, { seed, schedule, spacing: makeSpacing(uniform), make, steps, stop: uniform() }] as const;
});

test.each(cases)('any combination: %s', async (_, { seed, schedule, spacing, make, steps, stop }) => {
  const sampler = make();
  const { levels, initialSigma, stepCount, callCount } = createScheduler({ schedule, spacing, sampler }).plan(steps);
  const start = testNoise(seed, 8)().map((value) => value * initialSigma);
  const given = start.slice();

  /** Runs the sampler; aborts in the given model call, if any. */
  const run = async (abortIn?: number) => {
    const controller = new AbortController();
    const { signal } = controller;
    let calls = 0;
    const denoise = async (x: Float32Array, level: NoiseLevel) => {
      if (++calls === abortIn) controller.abort();
      return nonlinear(x, level);
    };
    let x: Float32Array = start;
    let yields = 0;
    let error: unknown;
    try {
      for await (const step of sampler(denoise, start, levels, { noise: testNoise(seed + 1, 8), signal })) {
        x = step.x;
        yields++;
        expect(x.every(Number.isFinite), `at sigma ${step.level.sigma}: ${x}`).toBe(true);
      }
    } catch (thrown) {
      if (abortIn === undefined) throw thrown;
      error = thrown;
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    return { x, calls, yields, error };
  };

  const whole = await run();
  expect(whole).toMatchObject({ yields: stepCount, calls: callCount });
  const abortIn = 1 + Math.floor(whole.calls * stop);
  const aborted = await run(abortIn);
  if (abortIn < whole.calls) expect(aborted).toMatchObject({ calls: abortIn, error: { name: 'AbortError' } });
  expect(await run()).toEqual(whole);
  expect(start).toEqual(given);
});

describe.each(schedulerClasses)('the class %s', (name) => {
  const make = () => schedulerFromConfig({ _class_name: name });
  for (const { name: title, run } of schedulerSuite(make)) test(title, run);

  test('accepts every valid number of steps', async () => {
    const maxSteps = name === 'LCMScheduler' || name === 'TCDScheduler' ? 50 : 200;
    for (let steps = 1; steps <= maxSteps; steps++) {
      const { levels, stepCount } = make().plan(steps);
      expect(levels.every(({ alpha, sigma, timestep }) => Number.isFinite(alpha + sigma + timestep))).toBe(true);
      expect(stepCount).toBeGreaterThanOrEqual(steps);
    }
  });
});

test('explicit spacings', () => {
  const levels = fixedSigmas([10, 3, 1, 0])(latent, 3);
  expect(levels.map((level) => Math.round(1e6 * noiseRatio(level)) / 1e6)).toEqual([10, 3, 1, 0]);
  const timesteps = fixedTimesteps([999, 500, 20])(latent, 3);
  expect(timesteps.map(({ timestep }) => timestep)).toEqual([999, 500, 20, 0]);
  expect(() => fixedSigmas([10, 3, 1])(latent, 4)).toThrow(/^steps: must be 3/);
  expect(() => fixedSigmas([1, 2])).toThrow(/^sigmas: must decrease/);
  expect(() => fixedTimesteps([5, Number.NaN])).toThrow(/^timesteps: /);
});

test('Align Your Steps uses its table for ten steps and interpolates for others', () => {
  const ratios = (steps: number) => alignYourSteps('sd1')(latent, steps).map(noiseRatio);
  const ten = ratios(10);
  [14.615, 6.475, 3.864, 2.695, 1.884, 1.394, 0.964, 0.652, 0.398, 0.152, 0].forEach((sigma, i) => {
    expect(ten[i]).toBeCloseTo(sigma, 2);
  });
  expect(ratios(20)[2]).toBeCloseTo(ten[1], 9);
});
