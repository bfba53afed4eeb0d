import { type NoiseLevel, type Sampler, throwIfAborted } from '@sd/core';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix } from '../vector.js';

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
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      const last = i === levels.length - 2;
      const down = last || eta === 0 ? to : (below?.(to, eta) ?? levelBetween(to, to, (1 - eta) * noiseRatio(to)));
      x = firstOrderStep(x, denoised, from, down);
      if (down !== to) {
        const gain = to.alpha / down.alpha;
        const added = Math.sqrt(Math.max(0, to.sigma ** 2 - (gain * down.sigma) ** 2));
        x = mix([gain, x], [added, noise(from, to)]);
      }
      yield { x, level: to, denoised };
    }
  };
}
