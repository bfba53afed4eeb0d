import type { NoiseLevel } from '@sd/core';
import { mix } from './vector.js';

/** Finds the noise level whose `sigma / alpha` is `ratio`. */
export type LevelAt = (ratio: number) => NoiseLevel;

/** Nothing but picture: where a run ends. */
export const cleanLevel: NoiseLevel = { alpha: 1, sigma: 0, timestep: 0 };

/** Alpha, but at least 2^-12: where it is 0, diffusers and k-diffusion take that (alphasCumprod of 2^-24). */
export function safeAlpha({ alpha }: NoiseLevel): number {
  return Math.max(alpha, 2 ** -12);
}

/** Noise to signal, `sigma / alpha`: the sigma of the k-diffusion family. Finite: alpha counts as 2^-12 at least. */
export function noiseRatio(level: NoiseLevel): number {
  return level.sigma / safeAlpha(level);
}

/** lambda = log(alpha / sigma), half the logarithm of the signal-to-noise ratio; Infinity where sigma is 0. */
export function logSnr(level: NoiseLevel): number {
  return -Math.log(noiseRatio(level));
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

/** Are these levels of a flow (alpha + sigma = 1)? The ends do not tell, those between do. */
function areFlow(levels: readonly NoiseLevel[]): boolean {
  return levels.some(({ alpha, sigma }) => alpha > 0 && sigma > 0 && close(alpha + sigma, 1));
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
  if (areFlow([from, to])) return flowLevel(ratio / (1 + ratio), timestep);
  if (close(from.alpha ** 2 + from.sigma ** 2, 1)) return preservingLevel(ratio, timestep);
  return { alpha: from.alpha, sigma: from.alpha * ratio, timestep };
}

/** The level halfway in log(sigma / alpha), found with `levelAt` if there is one. */
export function middleLevel(from: NoiseLevel, to: NoiseLevel, levelAt?: LevelAt): NoiseLevel {
  const ratio = Math.sqrt(noiseRatio(from) * noiseRatio(to));
  return levelAt?.(ratio) ?? levelBetween(from, to, ratio);
}

/** A sample is divided by `scale`, and then has noise of `sigma`. */
export interface Coordinates {
  readonly scale: number;
  readonly sigma: number;
}

/**
 * The coordinates in which the probability flow is `dx/dsigma = (x - x0) / sigma` (arXiv 2206.00364, eq. 1): x / alpha and
 * sigma / alpha, but a flow's own x and sigma, where its paths are straight already.
 */
export function flowCoordinates(levels: readonly NoiseLevel[]): (level: NoiseLevel) => Coordinates {
  if (areFlow(levels)) return ({ sigma }) => ({ scale: 1, sigma });
  return (level) => ({ scale: safeAlpha(level), sigma: noiseRatio(level) });
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
