import type { NoiseLevel, Sampler } from '@sd/core';
import { addNoise } from '../forward.js';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

export interface LcmOptions {
  /** How much of x goes into the consistency function, and how much of x0: `skip` and `out`. 0 and 1 if left out. */
  readonly boundary?: (level: NoiseLevel) => { readonly skip: number; readonly out: number };
}

/**
 * Multistep sampling of a latent consistency model (arXiv 2310.04378, algorithm 3): all noise is removed, and fresh noise
 * of the next level added. On the levels of a flow this is its stochastic sampling. Draws noise at every step but the last.
 */
export function lcm({ boundary }: LcmOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, to, left) => {
    const { skip, out } = boundary?.(from) ?? { skip: 0, out: 1 };
    const clean = mix([out, denoised], [skip, x]);
    return left === 1 ? mix([to.alpha, clean]) : addNoise(clean, noise(from, to), to);
  });
}
