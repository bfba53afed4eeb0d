import type { NoiseLevel, Sampler } from '@sd/core';
import { noiseRatio } from '../level.js';
import type { Limit } from '../limits.js';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

/** The level a number of strides away on the grid of training steps: -1 is one stride towards the image, 1 towards noise. */
export type LevelShift = (from: NoiseLevel, strides: number) => NoiseLevel;

export interface DdimOptions {
  /** Fraction of DDPM's noise to add: 0 by default, where none is drawn. */
  readonly eta?: number;
  /** Bounds each estimate of x0. As in diffusers, epsilon still comes from the unbounded one. */
  readonly limit?: Limit;
  /** Steps to `shift(from, -1)` instead of the next level, as diffusers does. They differ if steps are uneven. */
  readonly shift?: LevelShift;
}

/** Denoising diffusion implicit models (arXiv 2010.02502, eq. 12 and 16). */
export function ddim({ eta = 0, limit, shift }: DdimOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, next) => {
    const to = shift?.(from, -1) ?? next;
    const added = eta * to.sigma * Math.sqrt(Math.max(0, 1 - (noiseRatio(to) / noiseRatio(from)) ** 2));
    const kept = Math.sqrt(Math.max(0, to.sigma ** 2 - added ** 2)) / from.sigma;
    const mean = mix([to.alpha, limit?.(denoised) ?? denoised], [kept, x], [-kept * from.alpha, denoised]);
    return eta > 0 ? mix([1, mean], [added, noise(from, to)]) : mean;
  });
}
