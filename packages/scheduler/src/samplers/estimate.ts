import type { NoiseLevel } from '@sd/core';
import { logSnr } from '../level.js';
import { mix } from '../vector.js';

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
