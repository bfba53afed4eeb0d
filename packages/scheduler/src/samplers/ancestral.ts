import type { NoiseLevel } from '@sd/core';
import { firstOrderStep, noiseRatio, safeAlpha } from '../level.js';
import { mix } from '../vector.js';

export interface AncestralOptions {
  /** Fraction of the ancestral noise to add, 1 by default. With 0 the sampler is deterministic. */
  readonly eta?: number;
  /** Factor on that noise; 1 by default. */
  readonly sNoise?: number;
}

/** A step down to less noise than the target, and the standard deviation of the noise to add to x afterwards. */
export interface AncestralSplit {
  readonly down: NoiseLevel;
  readonly up: number;
}

/** Splits a step into removing and adding noise (k-diffusion's `get_ancestral_step`; DDIM with eta, arXiv 2010.02502, eq. 16). */
export function ancestralSplit(from: NoiseLevel, to: NoiseLevel, eta: number): AncestralSplit {
  const [high, low] = [noiseRatio(from), noiseRatio(to)];
  const up = Math.min(low, eta * low * Math.sqrt(Math.max(0, 1 - (low / high) ** 2)));
  const sigma = Math.sqrt(low ** 2 - up ** 2) * safeAlpha(to);
  return { down: { ...to, sigma }, up: up * safeAlpha(to) };
}

/** Steps down along the line to `denoised`, then adds `noise`. */
export function ancestralStep(
  x: Float32Array,
  denoised: Float32Array,
  from: NoiseLevel,
  { down, up }: AncestralSplit,
  noise: Float32Array,
): Float32Array {
  return mix([1, firstOrderStep(x, denoised, from, down)], [up, noise]);
}
