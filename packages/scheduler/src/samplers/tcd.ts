import type { NoiseLevel, Sampler } from '@sd/core';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

export interface TcdOptions {
  /** Gamma in the paper, from 0 (deterministic, no noise drawn) to 1 (like LCM); 0.3 by default. */
  readonly eta?: number;
  /** The level to go down to before adding noise up to `to`; by default the one with (1 - eta) times its sigma / alpha. */
  readonly below?: (to: NoiseLevel, eta: number) => NoiseLevel;
}

/**
 * Strategic stochastic sampling of a trajectory consistency model (arXiv 2402.19159, algorithm 4): goes below the next
 * level, then adds noise up to it. Draws noise at every step except the last.
 */
export function tcd({ eta = 0.3, below }: TcdOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, to, stepsLeft) => {
    if (stepsLeft === 1 || eta === 0) return firstOrderStep(x, denoised, from, to);
    const down = below?.(to, eta) ?? levelBetween(to, to, (1 - eta) * noiseRatio(to));
    const gain = to.alpha / down.alpha;
    const added = Math.sqrt(Math.max(0, to.sigma ** 2 - (gain * down.sigma) ** 2));
    return mix([gain, firstOrderStep(x, denoised, from, down)], [added, noise(from, to)]);
  });
}
