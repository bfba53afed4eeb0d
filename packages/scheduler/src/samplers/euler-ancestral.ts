import { type Sampler, throwIfAborted } from '@sd/core';
import { mix } from '../vector.js';
import { type AncestralOptions, ancestralSplit, ancestralStep } from './ancestral.js';

/** Euler's method with ancestral noise (k-diffusion's `euler_ancestral`). Draws noise at every step, the last included. */
export function eulerAncestral({ eta = 1, sNoise = 1 }: AncestralOptions = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      x = ancestralStep(x, denoised, from, ancestralSplit(from, to, eta), mix([sNoise, noise(from, to)]));
      yield { x, level: to, denoised };
    }
  };
}
