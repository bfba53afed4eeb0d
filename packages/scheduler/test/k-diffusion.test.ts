import { readFileSync } from 'node:fs';
import { type NoiseLevel, type Sampler, torchCpu } from '@sd/core';
import { describe, expect, test } from 'vitest';
import {
  brownianNoise,
  dpm2,
  dpm2Ancestral,
  dpmpp2m,
  dpmpp2mSde,
  dpmpp2sAncestral,
  dpmpp3mSde,
  dpmppSde,
  euler,
  eulerAncestral,
  exponentialSigmas,
  heun,
  karrasSigmas,
  lms,
  polyexponentialSigmas,
} from '../src/index.js';

const figures: {
  sigmas: number[];
  samplers: Record<string, { mean_before_step: number[]; final: number[] }>;
  spacings: Record<string, number[]>;
  brownian: { size: number; seed: string; interval: [from: number, to: number]; noise: number[] }[];
} = JSON.parse(readFileSync(new URL('./data/k-diffusion.json', import.meta.url), 'utf8'));

const samplers: Record<string, Sampler> = {
  euler: euler(),
  'euler churn': euler({ sChurn: 3, sNoise: 1.003 }),
  'euler ancestral': eulerAncestral(),
  'euler ancestral 0.5': eulerAncestral({ eta: 0.5 }),
  heun: heun(),
  'heun churn': heun({ sChurn: 3 }),
  dpm2: dpm2(),
  'dpm2 ancestral': dpm2Ancestral(),
  lms: lms(),
  'dpmpp 2s ancestral': dpmpp2sAncestral(),
  'dpmpp sde': dpmppSde(),
  'dpmpp 2m': dpmpp2m(),
  'dpmpp 2m sde': dpmpp2mSde(),
  'dpmpp 2m sde heun': dpmpp2mSde({ solverType: 'heun', eta: 0.7 }),
  'dpmpp 3m sde': dpmpp3mSde(),
  'dpmpp sde brownian': dpmppSde(),
  'dpmpp 2m sde brownian': dpmpp2mSde(),
  'dpmpp 3m sde brownian': dpmpp3mSde(),
};

/** The exact denoiser of data with mean 0.3 and standard deviation 0.5, at alpha 1. */
const denoise = async (x: Float32Array, { sigma }: NoiseLevel) =>
  x.map((value) => (0.3 * sigma ** 2 + 0.25 * value) / (sigma ** 2 + 0.25));

const mean = (x: Float32Array) => x.reduce((sum, value) => sum + Math.abs(value), 0) / x.length;

describe('samplers, on variance-exploding levels, against k-diffusion', () => {
  test('every golden run has its sampler', () => {
    expect(Object.keys(samplers)).toEqual(Object.keys(figures.samplers));
  });

  test.each(Object.entries(samplers))('%s', async (name, sampler) => {
    const expected = figures.samplers[name];
    const levels = figures.sigmas.map((sigma) => ({ alpha: 1, sigma, timestep: 0 }));
    const { randn } = torchCpu(0);
    const noise = name.endsWith('brownian')
      ? brownianNoise({ seed: 42, size: 48, random: torchCpu, levels })
      : () => randn(48);
    let x: Float32Array = Float32Array.from({ length: 48 }, (_, i) => (i / 24 - 1) * figures.sigmas[0]);
    const means = [mean(x)];
    for await (const step of sampler(denoise, x, levels, { noise })) {
      x = step.x;
      means.push(mean(x));
    }
    // k-diffusion reports the sample with the churn noise already added.
    const compared = name.endsWith('churn') ? [] : expected.mean_before_step;
    compared.forEach((value, i) => {
      expect(Math.abs(means[i] / value - 1), `mean before step ${i}`).toBeLessThan(2e-5);
    });
    expected.final.forEach((value, i) => {
      expect(Math.abs(x[i] - value), `value ${i}: ${x[i]} for ${value}`).toBeLessThan(2e-5);
    });
  });
});

test.each([
  ['karras', karrasSigmas(8, 0.03, 14.6)],
  ['exponential', exponentialSigmas(8, 0.03, 14.6)],
  ['polyexponential', polyexponentialSigmas(8, 0.03, 14.6, 1.7)],
])('%s spacing', (name, sigmas) => {
  const expected = figures.spacings[name];
  expect(expected).toHaveLength(9);
  sigmas.forEach((sigma, i) => {
    expect(Math.abs(sigma / expected[i] - 1)).toBeLessThan(1e-5);
  });
});

describe('noise from a Brownian path', () => {
  const at = (ratio: number): NoiseLevel => ({ alpha: 1, sigma: ratio, timestep: 0 });

  test.each(figures.brownian)('of $size values, seed $seed, over $interval', ({ size, seed, interval, noise }) => {
    const draw = brownianNoise({ seed: BigInt(seed), size, random: torchCpu, levels: figures.sigmas.map(at) });
    // Draws do not depend on earlier ones.
    draw(at(14.6), at(2));
    const drawn = draw(at(interval[0]), at(interval[1]));
    expect(drawn).toHaveLength(size);
    noise.forEach((expected, i) => {
      expect(Math.abs(drawn[i] - expected), `value ${i}: ${drawn[i]} for ${expected}`).toBeLessThan(1e-5);
    });
  });

  test('is a random walk: increments add up', () => {
    const draw = brownianNoise({ seed: 1, size: 20, random: torchCpu, levels: figures.sigmas.map(at) });
    const increment = (from: number, to: number) =>
      draw(at(from), at(to)).map((value) => value * Math.sqrt(Math.fround(from) - Math.fround(to)));
    const [upper, lower] = [increment(9, 4), increment(4, 1)];
    increment(9, 1).forEach((value, i) => {
      expect(value).toBeCloseTo(upper[i] + lower[i], 5);
    });
    expect(draw(at(3), at(3)).every((value) => value === 0)).toBe(true);
  });
});
