import type { NoiseLevel, Sampler } from '@sd/core';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

export interface TcdOptions {
  /** Gamma of the paper, from 0 (no noise, none drawn) to 1 (as LCM); 0.3 if left out. */
  readonly eta?: number;
  /** The level to go down to before noise is added up to `to`; the one with 1 - eta of its sigma / alpha if left out. */
  readonly below?: (to: NoiseLevel, eta: number) => NoiseLevel;
}

/**
 * Strategic stochastic sampling of a trajectory consistency model (arXiv 2402.19159, algorithm 4): goes below the next
 * level, and adds noise up to it. Draws noise at every step but the last.
 */
export function tcd({ eta = 0.3, below }: TcdOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, to, left) => {
    if (left === 1 || eta === 0) return firstOrderStep(x, denoised, from, to);
    const down = below?.(to, eta) ?? levelBetween(to, to, (1 - eta) * noiseRatio(to));
    const gain = to.alpha / down.alpha;
    const added = Math.sqrt(Math.max(0, to.sigma ** 2 - (gain * down.sigma) ** 2));
    return mix([gain, firstOrderStep(x, denoised, from, down)], [added, noise(from, to)]);
  });
}
