import type { NoiseLevel, Sampler } from '@sd/core';
import { noiseRatio } from '../level.js';
import type { Limit } from '../limits.js';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

/** The level some strides away on the training steps' grid: -1 is a stride towards the picture, 1 towards noise. */
export type LevelShift = (from: NoiseLevel, strides: number) => NoiseLevel;

export interface DdimOptions {
  /** How much of DDPM's noise is added: 0 none (the default), 1 all of it. No noise is drawn at 0. */
  readonly eta?: number;
  /** Bounds each estimate of x0. The noise is still read from the unbounded one, as in diffusers. */
  readonly limit?: Limit;
  /** Steps to `shift(from, -1)` in place of the next level, as diffusers does; they differ where steps are uneven. */
  readonly shift?: LevelShift;
}

/** Denoising diffusion implicit models (arXiv 2010.02502, eq. 12 and 16). */
export function ddim({ eta = 0, limit, shift }: DdimOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, next) => {
    const to = shift?.(from, -1) ?? next;
    const added = eta * to.sigma * Math.sqrt(Math.max(0, 1 - (noiseRatio(to) / noiseRatio(from)) ** 2));
    const kept = Math.sqrt(Math.max(0, to.sigma ** 2 - added ** 2)) / from.sigma;
    const pointed = mix([to.alpha, limit?.(denoised) ?? denoised], [kept, x], [-kept * from.alpha, denoised]);
    return eta > 0 ? mix([1, pointed], [added, noise(from, to)]) : pointed;
  });
}
