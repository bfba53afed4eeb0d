import type { NoiseLevel } from '@sd/core';
import { logSnr, safeAlpha } from '../level.js';
import { mix, type Term } from '../vector.js';

/** What a solver takes as a polynomial in lambda: x0, or the noise. */
export type Predicted = 'sample' | 'epsilon';

/** An estimate of x0 or epsilon, and the lambda = log(alpha / sigma) it belongs to. */
export interface Estimate {
  readonly lambda: number;
  readonly value: Float32Array;
}

/** What a solver takes as a polynomial, from a sample and its estimated x0. */
export function estimateOf(x: Float32Array, denoised: Float32Array, level: NoiseLevel, predict: Predicted): Estimate {
  const value = predict === 'sample' ? denoised : mix([1 / level.sigma, x], [-level.alpha / level.sigma, denoised]);
  return { lambda: logSnr(level), value };
}

/** The newest estimates, newest first, `count` at most; one of the same lambda as the newest is replaced by it. */
export function remember(newest: Estimate, past: readonly Estimate[], count: number): readonly Estimate[] {
  return [newest, ...past.filter(({ lambda }) => lambda !== newest.lambda)].slice(0, count);
}

/**
 * Solves the diffusion SDE between two levels (arXiv 2309.05019, proposition 4.2, eta = tau²; the ODE where eta is 0, arXiv
 * 2211.01095, proposition 4.1, or arXiv 2206.00927, proposition 3.1, for the noise). `weights` are the estimates' shares in
 * the integral over lambda of their polynomial times exp((1 + eta)(lambda - lambdaTo)), exp(lambdaTo - lambda) for the noise.
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
