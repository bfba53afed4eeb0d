import { type Sampler, throwIfAborted } from '@sd/core';
import { mix, type Term } from '../vector.js';

export interface DdpmOptions {
  /** The smaller bound of the posterior's variance, exact for a single picture (the default), or the larger, the step's beta. */
  readonly variance?: 'small' | 'large';
}

/**
 * Denoising diffusion probabilistic models: samples the posterior q(x_to | x_from, x0) at the estimated x0 (arXiv
 * 2006.11239, eq. 6, 7 and algorithm 2). Draws noise at every step but a last one to the clean picture.
 */
export function ddpm({ variance = 'small' }: DdpmOptions = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      const gain = from.alpha / to.alpha;
      const shrink = (to.sigma / from.sigma) ** 2;
      const beta = Math.max(0, from.sigma ** 2 - (gain * to.sigma) ** 2);
      const terms: Term[] = [
        [gain * shrink, x],
        [to.alpha * (1 - gain ** 2 * shrink), denoised],
      ];
      if (to.sigma > 0) terms.push([Math.sqrt(variance === 'small' ? beta * shrink : beta), noise(from, to)]);
      x = mix(...terms);
      yield { x, level: to, denoised };
    }
  };
}
