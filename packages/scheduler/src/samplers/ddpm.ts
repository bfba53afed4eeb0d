import type { Sampler } from '@sd/core';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

export interface DdpmOptions {
  /** The lower bound of the posterior's variance, exact for a single image (the default), or the upper one, the step's beta. */
  readonly variance?: 'small' | 'large';
}

/**
 * Denoising diffusion probabilistic models: samples the posterior q(x_to | x_from, x0) at the estimated x0 (arXiv
 * 2006.11239, eq. 6, 7 and algorithm 2). Draws noise at every step except one to the clean image.
 */
export function ddpm({ variance = 'small' }: DdpmOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, to) => {
    const gain = from.alpha / to.alpha;
    const shrink = (to.sigma / from.sigma) ** 2;
    const beta = Math.max(0, from.sigma ** 2 - (gain * to.sigma) ** 2);
    const mean = mix([gain * shrink, x], [to.alpha * (1 - gain ** 2 * shrink), denoised]);
    if (to.sigma === 0) return mean;
    return mix([1, mean], [Math.sqrt(variance === 'small' ? beta * shrink : beta), noise(from, to)]);
  });
}
