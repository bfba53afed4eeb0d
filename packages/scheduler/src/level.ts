import type { NoiseLevel } from '@sd/core';
import { mix } from './vector.js';

/** Finds the noise level with `sigma / alpha` equal to `ratio`. */
export type LevelAt = (ratio: number) => NoiseLevel;

/** The level without noise, at which a run ends. */
export const cleanLevel: NoiseLevel = { alpha: 1, sigma: 0, timestep: 0 };

/** Alpha, with 2^-12 (alphasCumprod 2^-24) in place of 0, as in diffusers and k-diffusion. */
export function safeAlpha({ alpha }: NoiseLevel): number {
  return alpha === 0 ? 2 ** -12 : alpha;
}

/** The noise-to-signal ratio `sigma / alpha`: k-diffusion's sigma. Always finite: an alpha of 0 counts as 2^-12. */
export function noiseRatio(level: NoiseLevel): number {
  return level.sigma / safeAlpha(level);
}

/** lambda = log(alpha / sigma), half the logarithm of the signal-to-noise ratio; Infinity if sigma is 0. */
export function logSnr(level: NoiseLevel): number {
  return -Math.log(noiseRatio(level));
}

/** The variance-preserving level (alpha² + sigma² = 1) with this noise ratio. */
export function preservingLevel(ratio: number, timestep: number): NoiseLevel {
  const alpha = 1 / Math.sqrt(1 + ratio * ratio);
  return { alpha, sigma: ratio * alpha, timestep };
}

/** The flow level (alpha + sigma = 1) with this sigma, from 0 to 1. */
export function flowLevel(sigma: number, timestep: number): NoiseLevel {
  return { alpha: 1 - sigma, sigma, timestep };
}

const close = (a: number, b: number) => Math.abs(a - b) < 1e-6;

/** True for levels of a flow (alpha + sigma = 1). The two ends look the same in every schedule, so the others decide. */
function areFlow(levels: readonly NoiseLevel[]): boolean {
  return levels.some(({ alpha, sigma }) => alpha > 0 && sigma > 0 && close(alpha + sigma, 1));
}

/**
 * Estimates the level with a given noise ratio from two neighbours: of the same kind (variance-preserving, flow, or with
 * the alpha of `from`), with a timestep interpolated over log(ratio). For samplers that step between the given levels; a
 * noise schedule's own `levelAt` is exact.
 */
export function levelBetween(from: NoiseLevel, to: NoiseLevel, ratio: number): NoiseLevel {
  const span = Math.log(noiseRatio(to) / noiseRatio(from));
  const fraction = Number.isFinite(span) && span !== 0 ? Math.log(ratio / noiseRatio(from)) / span : 0;
  const timestep = from.timestep + fraction * (to.timestep - from.timestep);
  if (areFlow([from, to])) return flowLevel(ratio / (1 + ratio), timestep);
  if (close(from.alpha ** 2 + from.sigma ** 2, 1)) return preservingLevel(ratio, timestep);
  return { alpha: from.alpha, sigma: from.alpha * ratio, timestep };
}

/** The level halfway in log(sigma / alpha): exact with `levelAt`, otherwise estimated. */
export function middleLevel(from: NoiseLevel, to: NoiseLevel, levelAt?: LevelAt): NoiseLevel {
  const ratio = Math.sqrt(noiseRatio(from) * noiseRatio(to));
  return levelAt?.(ratio) ?? levelBetween(from, to, ratio);
}

/** Coordinates of a sample: divided by `scale`, it has noise of standard deviation `sigma`. */
export interface Coordinates {
  readonly scale: number;
  readonly sigma: number;
}

/**
 * Coordinates in which the probability flow is `dx/dsigma = (x - x0) / sigma` (arXiv 2206.00364, eq. 1): x / alpha and
 * sigma / alpha, or for a flow x and sigma themselves, in which its paths are already straight.
 */
export function flowCoordinates(levels: readonly NoiseLevel[]): (level: NoiseLevel) => Coordinates {
  if (areFlow(levels)) return ({ sigma }) => ({ scale: 1, sigma });
  return (level) => ({ scale: safeAlpha(level), sigma: noiseRatio(level) });
}

/**
 * Moves a sample from one level to another along the line to `denoised`: DDIM with eta 0 (arXiv 2010.02502, eq. 12), which
 * is also Euler's method in sigma / alpha and first-order DPM-Solver++. Valid at alpha 0.
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
