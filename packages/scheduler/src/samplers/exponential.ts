import type { NoiseLevel } from '@sd/core';
import { logSnr, safeAlpha } from '../level.js';
import { mix, type Term } from '../vector.js';

/** The quantity that a solver approximates by a polynomial in lambda: x0 or epsilon. */
export type Predicted = 'sample' | 'epsilon';

/** An estimate of x0 or epsilon at lambda = log(alpha / sigma). */
export interface Estimate {
  readonly lambda: number;
  readonly value: Float32Array;
}

/** The estimate of x0 or epsilon, from a sample and its estimated x0. */
export function estimateOf(x: Float32Array, denoised: Float32Array, level: NoiseLevel, predict: Predicted): Estimate {
  const value = predict === 'sample' ? denoised : mix([1 / level.sigma, x], [-level.alpha / level.sigma, denoised]);
  return { lambda: logSnr(level), value };
}

/** The last `count` estimates, newest first. The newest replaces one with the same lambda. */
export function remember(newest: Estimate, past: readonly Estimate[], count: number): readonly Estimate[] {
  return [newest, ...past.filter(({ lambda }) => lambda !== newest.lambda)].slice(0, count);
}

/**
 * Solves the diffusion SDE between two levels (arXiv 2309.05019, proposition 4.2, with eta = tau²), or with eta 0 the ODE
 * (arXiv 2211.01095, proposition 4.1 for x0; arXiv 2206.00927, proposition 3.1 for epsilon). `weights` are the estimates'
 * coefficients in the integral over lambda of their polynomial times exp((1 + eta)(lambda - lambdaTo)) for x0, or
 * exp(lambdaTo - lambda) for epsilon.
 */
export function exponentialStep(
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  predict: Predicted,
  estimates: readonly Estimate[],
  weights: readonly number[],
  eta = 0,
  noise?: Float32Array,
): Float32Array {
  const h = logSnr(to) - logSnr(from);
  const data = predict === 'sample';
  const kept = data ? (to.sigma / from.sigma) * Math.exp(-eta * h) : to.alpha / safeAlpha(from);
  const gain = (1 + eta) * (data ? to.alpha : -to.sigma);
  const terms: Term[] = [[kept, x], ...estimates.map(({ value }, k): Term => [gain * weights[k], value])];
  if (noise !== undefined && eta > 0) {
    terms.push([to.sigma * Math.sqrt(data ? -Math.expm1(-2 * eta * h) : eta * Math.expm1(2 * h)), noise]);
  }
  return mix(...terms);
}
