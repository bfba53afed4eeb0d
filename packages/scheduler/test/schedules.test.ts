import { readFileSync } from 'node:fs';
import { InvalidOptionError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import {
  addNoise,
  alphasCumprodOf,
  cosineBetas,
  discreteSchedule,
  flowSchedule,
  linearBetas,
  noiseRatio,
  noiseScheduleFromConfig,
  rescaleZeroTerminalSnr,
  scaledLinearBetas,
} from '../src/index.js';

interface Figures {
  config: Record<string, unknown>;
  at: number[];
  betas: number[];
  alphas_cumprod: number[];
  betas_sum: number;
  alphas_cumprod_sum: number;
}

const figures: Record<string, Figures> = JSON.parse(
  readFileSync(new URL('./data/schedules.json', import.meta.url), 'utf8'),
);

const betas: Record<string, Float32Array> = {
  linear: linearBetas(),
  scaled_linear: scaledLinearBetas(),
  squaredcos_cap_v2: cosineBetas(),
  'linear 1100': linearBetas(1100),
  'scaled_linear zero snr': rescaleZeroTerminalSnr(scaledLinearBetas()),
  trained: Float32Array.from({ length: 20 }, (_, i) => 0.01 * (i + 1)),
};

const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

describe.each(Object.entries(figures))('the noise schedule %s', (name, expected) => {
  test('has the same float32 values as torch', () => {
    const ours = betas[name];
    const alphasCumprod = alphasCumprodOf(ours);
    // Square roots and cosines are rounded by the platform's math library.
    const ulp = name === 'squaredcos_cap_v2' || name.endsWith('snr') ? 1e-6 : 0;
    expected.at.forEach((t, i) => {
      expect(Math.abs(ours[t] - expected.betas[i]), `beta ${t}`).toBeLessThanOrEqual(ulp);
      expect(Math.abs(alphasCumprod[t] - expected.alphas_cumprod[i]), `alphasCumprod ${t}`).toBeLessThanOrEqual(
        ulp * expected.alphas_cumprod[i],
      );
    });
    expect(Math.abs(sum(ours) / expected.betas_sum - 1)).toBeLessThan(1e-9 + ulp);
    expect(Math.abs(sum(alphasCumprod) / expected.alphas_cumprod_sum - 1)).toBeLessThan(1e-9 + ulp);
  });

  test('is read from its config', () => {
    const schedule = noiseScheduleFromConfig(expected.config);
    const { alpha, sigma } = schedule.level(expected.at[2]);
    expect(Math.abs(alpha ** 2 / expected.alphas_cumprod[2] - 1)).toBeLessThan(1e-5);
    expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 12);
  });
});

test('a discrete schedule finds a level by its noise ratio', () => {
  const schedule = discreteSchedule(alphasCumprodOf(scaledLinearBetas()));
  for (const t of [0, 1, 37.25, 500, 998.5, 999]) {
    expect(schedule.levelAt(noiseRatio(schedule.level(t))).timestep).toBeCloseTo(t, 1);
  }
  expect(schedule.levelAt(1000).timestep).toBe(999);
  expect(schedule.levelAt(0).timestep).toBe(0);
});

test('zero terminal SNR ends with pure noise', () => {
  const schedule = discreteSchedule(alphasCumprodOf(rescaleZeroTerminalSnr(scaledLinearBetas())));
  expect(schedule.level(999)).toEqual({ alpha: 0, sigma: 1, timestep: 999 });
  expect(schedule.sigmas.at(-1)).toBeCloseTo(4096, 3);
});

test('a flow schedule is linear and can be shifted', () => {
  const flow = flowSchedule({ shift: 3 });
  expect(flowSchedule().level(249)).toEqual({ alpha: 0.75, sigma: 0.25, timestep: 250 });
  expect(flow.level(999)).toEqual({ alpha: 0, sigma: 1, timestep: 1000 });
  expect(flow.level(249).sigma).toBeCloseTo(0.5, 12);
  expect(flow.levelAt(1)).toEqual({ alpha: 0.5, sigma: 0.5, timestep: 500 });
  expect(flow.levelAt(flow.sigmas[499]).sigma).toBeCloseTo(0.75, 6);
});

test('addNoise weighs with alpha and sigma', () => {
  const noisy = addNoise(Float32Array.of(1, -2), Float32Array.of(0.5, 1), { alpha: 0.6, sigma: 0.8, timestep: 0 });
  expect(noisy[0]).toBeCloseTo(1, 6);
  expect(noisy[1]).toBeCloseTo(-0.4, 6);
});

test('an impossible number of training steps is rejected', () => {
  expect(() => linearBetas(0)).toThrow(InvalidOptionError);
  expect(() => cosineBetas(1.5)).toThrow(/^num_train_timesteps/);
});
