import { type Sampler, throwIfAborted } from '@sd/core';
import { flowCoordinates } from '../level.js';
import { mix } from '../vector.js';
import { addChurn, type Churn } from './churn.js';

/** Heun's second-order method, with churn if asked (Karras et al., arXiv 2206.00364, algorithms 1 and 2). Two calls a step, one in the last. */
export function heun(churn: Churn = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    const coordinates = flowCoordinates(levels);
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const to = levels[i + 1]!;
      const [noisy, from] = addChurn(x, levels[i]!, to, levels.length - 1, noise, churn);
      const [a, b] = [coordinates(from), coordinates(to)];
      const dt = b.sigma - a.sigma;
      const denoised = await denoise(noisy, from);
      const start = mix([1 / a.scale, noisy]);
      const d = mix([1 / a.sigma, start], [-1 / a.sigma, denoised]);
      const end = mix([1, start], [dt, d]);
      if (to.sigma === 0) {
        x = mix([b.scale, end]);
      } else {
        throwIfAborted(signal);
        const second = await denoise(mix([b.scale, end]), to);
        const d2 = mix([1 / b.sigma, end], [-1 / b.sigma, second]);
        x = mix([b.scale, start], [(b.scale * dt) / 2, d], [(b.scale * dt) / 2, d2]);
      }
      yield { x, level: to, denoised };
    }
  };
}
