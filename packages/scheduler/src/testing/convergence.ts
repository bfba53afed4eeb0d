import type { NoiseLevel, Sampler } from '@sd/core';
import { noiseRatio, preservingLevel } from '../level.js';
import { exponentialSigmas } from '../spacings/sigmas.js';
import { mixtureDenoiser } from './denoisers.js';

const [noisiest, cleanest] = [8, 0.12];

/** Variance-preserving levels with sigma / alpha in geometric progression from 8 to 0.12: noisy at both ends, so that the order shows. */
export function orderLevels(steps: number): NoiseLevel[] {
  return exponentialSigmas(steps + 1, cleanest, noisiest).map((ratio, i) =>
    preservingLevel(ratio, 999 * (1 - i / steps)),
  );
}

/** Where the example mixture's probability flow takes a few points, by `steps` Runge-Kutta steps in double precision. */
async function exactFlow(start: Float32Array, steps: number): Promise<Float64Array> {
  const denoise = mixtureDenoiser();
  const slope = async (y: Float64Array, u: number) => {
    const level = preservingLevel(Math.exp(u), 0);
    const x0 = await denoise(Float64Array.from(y, (v) => v * level.alpha) as unknown as Float32Array, level);
    return y.map((v, i) => v - x0[i]);
  };
  let y = Float64Array.from(start, (v) => v / preservingLevel(noisiest, 0).alpha);
  const h = Math.log(cleanest / noisiest) / steps;
  const moved = (by: number, d: Float64Array) => y.map((v, i) => v + by * d[i]);
  for (let i = 0; i < steps; i++) {
    const u = Math.log(noisiest) + i * h;
    const k1 = await slope(y, u);
    const k2 = await slope(moved(h / 2, k1), u + h / 2);
    const k3 = await slope(moved(h / 2, k2), u + h / 2);
    const k4 = await slope(moved(h, k3), u + h);
    y = y.map((v, j) => v + (h / 6) * (k1[j] + 2 * k2[j] + 2 * k3[j] + k4[j]));
  }
  const { alpha } = preservingLevel(cleanest, 0);
  return y.map((v) => v * alpha);
}

let reference: { start: Float32Array; end: Promise<Float64Array> } | undefined;

/** The largest error of a deterministic sampler at the end of the example mixture's probability flow, over a few points. */
export async function flowError(sampler: Sampler, steps: number): Promise<number> {
  if (reference === undefined) {
    const start = Float32Array.from([0.3, -1.1, 1.4, 0.6, -0.7, 0.2, -0.1, 0.9, 0.95, -0.4, -1.6, -0.8]);
    reference = { start, end: exactFlow(start, 1000) };
  }
  const { start } = reference;
  const end = await reference.end;
  const levels = orderLevels(steps);
  const noise = () => new Float32Array(start.length);
  let x = start;
  for await (const step of sampler(mixtureDenoiser(), x, levels, { noise })) x = step.x;
  return Math.max(...Array.from(x, (value, i) => Math.abs(value - end[i])));
}

/**
 * The measured order of convergence of a deterministic sampler: the slope of log(error) over log(steps) between two numbers
 * of steps. float32 hides errors below about 1e-6.
 */
export async function measureOrder(sampler: Sampler, few = 36, many = 2 * few): Promise<number> {
  return Math.log((await flowError(sampler, few)) / (await flowError(sampler, many))) / Math.log(many / few);
}

/** True if levels go from most noise to least. Equal neighbours are allowed. */
export function isFalling(levels: readonly NoiseLevel[]): boolean {
  return levels.every((level, i) => i === 0 || noiseRatio(level) <= noiseRatio(levels[i - 1]) * (1 + 1e-6));
}
