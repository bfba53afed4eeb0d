import { type NoiseLevel, type Sampler, throwIfAborted } from '@sd/core';
import { noiseRatio } from '../level.js';
import type { Limit } from '../limits.js';
import { mix, type Term } from '../vector.js';

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
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const from = levels[i]!;
      const to = shift?.(from, -1) ?? levels[i + 1]!;
      const raw = await denoise(x, from);
      const denoised = limit?.(raw) ?? raw;
      const added = eta * to.sigma * Math.sqrt(Math.max(0, 1 - (noiseRatio(to) / noiseRatio(from)) ** 2));
      const kept = Math.sqrt(Math.max(0, to.sigma ** 2 - added ** 2)) / from.sigma;
      const terms: Term[] = [
        [to.alpha, denoised],
        [kept, x],
        [-kept * from.alpha, raw],
      ];
      if (eta > 0) terms.push([added, noise(from, to)]);
      x = mix(...terms);
      yield { x, level: levels[i + 1]!, denoised };
    }
  };
}
