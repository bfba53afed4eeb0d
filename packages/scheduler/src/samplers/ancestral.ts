import type { NoiseLevel } from '@sd/core';
import { firstOrderStep, noiseRatio, safeAlpha } from '../level.js';
import { mix } from '../vector.js';

export interface AncestralOptions {
  /** How much of the ancestral noise is added: 1, the default, all; 0 none, which makes the sampler deterministic. */
  readonly eta?: number;
  /** Factor on that noise; 1 if left out. */
  readonly sNoise?: number;
}

/** A step to less noise than wanted, `down`, and the standard deviation of the noise that makes up for it in x. */
export interface AncestralSplit {
  readonly down: NoiseLevel;
  readonly up: number;
}

/** Splits a step between removing noise and adding it (k-diffusion's ancestral step; DDIM with eta, arXiv 2010.02502, eq. 16). */
export function ancestralSplit(from: NoiseLevel, to: NoiseLevel, eta: number): AncestralSplit {
  const [high, low] = [noiseRatio(from), noiseRatio(to)];
  const up = Math.min(low, eta * low * Math.sqrt(Math.max(0, 1 - (low / high) ** 2)));
  const sigma = Math.sqrt(low ** 2 - up ** 2) * safeAlpha(to);
  return { down: { ...to, sigma }, up: up * safeAlpha(to) };
}

/** Goes down along the line to `denoised`, and adds `noise` where there is some to add. */
export function ancestralStep(
  x: Float32Array,
  denoised: Float32Array,
  from: NoiseLevel,
  { down, up }: AncestralSplit,
  noise: Float32Array,
): Float32Array {
  return mix([1, firstOrderStep(x, denoised, from, down)], [up, noise]);
}
