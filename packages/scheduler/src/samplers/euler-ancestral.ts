import type { Sampler } from '@sd/core';
import { mix } from '../vector.js';
import { type AncestralOptions, ancestralSplit, ancestralStep } from './ancestral.js';
import { stepwise } from './stepwise.js';

/** Euler's method with ancestral noise (k-diffusion's `euler_ancestral`). Draws noise at every step, including the last. */
export function eulerAncestral({ eta = 1, sNoise = 1 }: AncestralOptions = {}): Sampler {
  return stepwise(
    ({ noise }) =>
      (x, denoised, from, to) =>
        ancestralStep(x, denoised, from, ancestralSplit(from, to, eta), mix([sNoise, noise(from, to)])),
  );
}
