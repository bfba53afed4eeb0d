import type { NoiseLevel } from '@sd/core';
import { mix } from './vector.js';

/** Finds the noise level whose `sigma / alpha` is `ratio`. */
export type LevelAt = (ratio: number) => NoiseLevel;

/** Where alpha is 0, diffusers and k-diffusion take this one (alphasCumprod of 2^-24) in its place. */
const smallestAlpha = 2 ** -12;

/** Noise to signal, `sigma / alpha`: the sigma of the k-diffusion family. Finite, since alpha counts as 2^-12 at least. */
export function noiseRatio({ alpha, sigma }: NoiseLevel): number {
  return sigma / Math.max(alpha, smallestAlpha);
}

/** The variance-preserving level (alpha² + sigma² = 1) of a noise ratio. */
export function preservingLevel(ratio: number, timestep: number): NoiseLevel {
  const alpha = 1 / Math.sqrt(1 + ratio * ratio);
  return { alpha, sigma: ratio * alpha, timestep };
}

/** The flow level (alpha + sigma = 1) of a sigma from 0 to 1. */
export function flowLevel(sigma: number, timestep: number): NoiseLevel {
  return { alpha: 1 - sigma, sigma, timestep };
}

const close = (a: number, b: number) => Math.abs(a - b) < 1e-6;

/** Is it a noisy level of a flow (alpha + sigma = 1)? */
export function isFlow({ alpha, sigma }: NoiseLevel): boolean {
  return close(alpha + sigma, 1) && sigma > 0;
}

/**
 * The level with a noise ratio near two others: of their kind (variance-preserving, flow, or alpha as it is in `from`),
 * its timestep interpolated over log(ratio). For samplers that step between the levels that they were given; a noise
 * schedule's own `levelAt` is exact where this is an estimate.
 */
export function levelBetween(from: NoiseLevel, to: NoiseLevel, ratio: number): NoiseLevel {
  const span = Math.log(noiseRatio(to) / noiseRatio(from));
  const part = Number.isFinite(span) && span !== 0 ? Math.log(ratio / noiseRatio(from)) / span : 0;
  const timestep = from.timestep + part * (to.timestep - from.timestep);
  if (isFlow(from)) return flowLevel(ratio / (1 + ratio), timestep);
  if (close(from.alpha ** 2 + from.sigma ** 2, 1)) return preservingLevel(ratio, timestep);
  return { alpha: from.alpha, sigma: from.alpha * ratio, timestep };
}

/**
 * Moves a sample from one level to another along the line to `denoised`: DDIM with eta 0 (arXiv 2010.02502, eq. 12),
 * which is Euler's method in sigma / alpha and the first order of DPM-Solver++. Holds where alpha is 0.
 */
export function firstOrderStep(
  x: Float32Array,
  denoised: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
): Float32Array {
  const kept = to.sigma / from.sigma;
  return mix([kept, x], [to.alpha - from.alpha * kept, denoised]);
}
