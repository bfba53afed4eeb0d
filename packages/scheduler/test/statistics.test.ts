import type { Sampler } from '@sd/core';
import { expect, test } from 'vitest';
import {
  cleanLevel,
  ddim,
  ddpm,
  dpm2Ancestral,
  dpmpp2mSde,
  dpmpp2sAncestral,
  dpmpp3mSde,
  dpmppSde,
  euler,
  eulerAncestral,
  exponentialSigmas,
  heun,
  preservingLevel,
  restart,
  saSolver,
} from '../src/index.js';
import { exampleMixture, mixtureDenoiser, testNoise } from '../src/testing.js';

const points = 10_000;

/** The exact mean and covariance of the mixture. */
const exact = (() => {
  const mean = [0, 1].map((k) => exampleMixture.reduce((sum, c) => sum + c.weight * c.mean[k], 0));
  const covariance = (i: number, j: number) =>
    exampleMixture.reduce((sum, c) => {
      const spread = i === j ? c.std ** 2 : 0;
      return sum + c.weight * (spread + (c.mean[i] - mean[i]) * (c.mean[j] - mean[j]));
    }, 0);
  return { mean, xx: covariance(0, 0), xy: covariance(0, 1), yy: covariance(1, 1) };
})();

const stochastic: [string, Sampler, number?][] = [
  ['ddim, eta 1', ddim({ eta: 1 })],
  ['ddpm', ddpm()],
  ['euler ancestral', eulerAncestral()],
  ['euler churn', euler({ sChurn: 20 })],
  ['heun churn', heun({ sChurn: 20 })],
  ['dpm2 ancestral', dpm2Ancestral()],
  ['dpm++ 2s ancestral', dpmpp2sAncestral()],
  ['dpm++ sde', dpmppSde()],
  ['dpm++ 2m sde', dpmpp2mSde()],
  ['dpm++ 3m sde', dpmpp3mSde()],
  ['sa-solver', saSolver()],
  ['restart', restart()],
];

test.each(stochastic)('%s samples the mixture', async (_, sampler) => {
  const noise = testNoise(11, 2 * points);
  const levels = [
    ...exponentialSigmas(80, 0.02, 30).map((ratio, i) => preservingLevel(ratio, 999 * (1 - i / 80))),
    cleanLevel,
  ];
  let x = noise();
  for await (const step of sampler(mixtureDenoiser(), x, levels, { noise })) x = step.x;

  const mean = [0, 1].map((k) => x.reduce((sum, value, i) => (i % 2 === k ? sum + value : sum), 0) / points);
  const products = [0, 0, 0];
  for (let i = 0; i < points; i++) {
    const [dx, dy] = [x[2 * i] - mean[0], x[2 * i + 1] - mean[1]];
    products[0] += (dx * dx) / points;
    products[1] += (dx * dy) / points;
    products[2] += (dy * dy) / points;
  }
  // Four standard errors: sqrt(variance / n) for a mean, at most about sqrt(2 / n) of a variance for this mixture;
  // plus two percent for the error of 80 steps.
  const error = (variance: number) => 4 * variance * Math.sqrt(2 / points) + 0.02 * variance;
  expect(Math.abs(mean[0] - exact.mean[0])).toBeLessThan(4 * Math.sqrt(exact.xx / points) + 0.005);
  expect(Math.abs(mean[1] - exact.mean[1])).toBeLessThan(4 * Math.sqrt(exact.yy / points) + 0.005);
  expect(Math.abs(products[0] - exact.xx), `${products[0]} for ${exact.xx}`).toBeLessThan(error(exact.xx));
  expect(Math.abs(products[1] - exact.xy), `${products[1]} for ${exact.xy}`).toBeLessThan(
    error(Math.sqrt(exact.xx * exact.yy)),
  );
  expect(Math.abs(products[2] - exact.yy), `${products[2]} for ${exact.yy}`).toBeLessThan(error(exact.yy));
});
