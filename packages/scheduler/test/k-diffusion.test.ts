import { readFileSync } from 'node:fs';
import { type NoiseLevel, type Sampler, torchCpu } from '@sd/core';
import { describe, expect, test } from 'vitest';
import {
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
    let x: Float32Array = Float32Array.from({ length: 48 }, (_, i) => (i / 24 - 1) * figures.sigmas[0]);
    const means = [mean(x)];
    for await (const step of sampler(denoise, x, levels, { noise: () => randn(48) })) {
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
