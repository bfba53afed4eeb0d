import { type NoiseLevel, type Sampler, throwIfAborted } from '@sd/core';
import { addNoise } from '../forward.js';
import { mix } from '../vector.js';

export interface LcmOptions {
  /** How much of x goes into the consistency function, and how much of x0: `skip` and `out`. 0 and 1 if left out. */
  readonly boundary?: (level: NoiseLevel) => { readonly skip: number; readonly out: number };
}

/**
 * Multistep sampling of a latent consistency model (arXiv 2310.04378, algorithm 3): all noise is removed, and fresh noise
 * of the next level added. On the levels of a flow this is its stochastic sampling. Draws noise at every step but the last.
 */
export function lcm({ boundary }: LcmOptions = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const x0 = await denoise(x, from);
      const weights = boundary?.(from);
      const denoised = weights === undefined ? x0 : mix([weights.out, x0], [weights.skip, x]);
      x = i === levels.length - 2 ? mix([to.alpha, denoised]) : addNoise(denoised, noise(from, to), to);
      yield { x, level: to, denoised };
    }
  };
}
