import type { NoiseLevel, Sampler } from '@sd/core';
import { addNoise } from '../forward.js';
import { mix } from '../vector.js';
import { stepwise } from './stepwise.js';

export interface LcmOptions {
  /** The consistency function's weights of x (`skip`) and x0 (`out`), c_skip and c_out in the paper; 0 and 1 by default. */
  readonly boundary?: (level: NoiseLevel) => { readonly skip: number; readonly out: number };
}

/**
 * Multistep sampling of a latent consistency model (arXiv 2310.04378, algorithm 3): removes all noise, then adds fresh
 * noise of the next level. On a flow's levels this is stochastic flow sampling. Draws noise at every step except the last.
 */
export function lcm({ boundary }: LcmOptions = {}): Sampler {
  return stepwise(({ noise }) => (x, denoised, from, to, stepsLeft) => {
    const { skip, out } = boundary?.(from) ?? { skip: 0, out: 1 };
    const clean = mix([out, denoised], [skip, x]);
    return stepsLeft === 1 ? mix([to.alpha, clean]) : addNoise(clean, noise(from, to), to);
  });
}
