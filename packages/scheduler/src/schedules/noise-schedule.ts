import type { NoiseLevel } from '@sd/core';
import { type LevelAt, preservingLevel } from '../level.js';

/** Which noise level belongs to which timestep: what a model was trained on. */
export interface NoiseSchedule {
  /** How many steps the model was trained with: 1000 in Stable Diffusion. A run has at most as many. */
  readonly trainTimesteps: number;
  /** Noise ratio, `sigma / alpha`, of each training step, rising. */
  readonly sigmas: Float32Array;
  /** The level of a timestep from 0 to trainTimesteps - 1; between two, sigma / alpha is interpolated linearly. */
  level(timestep: number): NoiseLevel;
  /** The level of a noise ratio; its timestep is interpolated over log(sigma / alpha), and kept within the table. */
  readonly levelAt: LevelAt;
}

/**
 * A variance-preserving schedule (alpha² + sigma² = 1) over training steps, from its alphasCumprod: decreasing, the last
 * may be 0 (zero terminal SNR), where `sigmas` take 2^-24 in its place.
 */
export function discreteSchedule(alphasCumprod: Float32Array): NoiseSchedule {
  const last = alphasCumprod.length - 1;
  const sigmas = alphasCumprod.map((value) => {
    const signal = Math.max(value, 2 ** -24);
    return Math.sqrt(Math.fround(Math.fround(1 - signal) / signal));
  });
  const logSigmas = sigmas.map(Math.log);
  return {
    trainTimesteps: alphasCumprod.length,
    sigmas,
    level(timestep) {
      const t = Math.min(Math.max(timestep, 0), last);
      const low = Math.floor(t);
      if (t !== low) return preservingLevel(sigmas[low]! + (t - low) * (sigmas[low + 1]! - sigmas[low]!), t);
      const signal = alphasCumprod[t]!;
      return { alpha: Math.sqrt(signal), sigma: Math.sqrt(1 - signal), timestep: t };
    },
    levelAt: (ratio) => preservingLevel(ratio, interpolateIndex(logSigmas, Math.log(Math.max(ratio, 1e-10)))),
  };
}

/** Where a value lies in a rising table, as a fractional index from 0 to the last. */
function interpolateIndex(table: Float32Array, value: number): number {
  const above = table.findIndex((entry) => entry > value);
  const low = Math.min(Math.max((above === -1 ? table.length : above) - 1, 0), Math.max(table.length - 2, 0));
  const high = Math.min(low + 1, table.length - 1);
  const span = table[high]! - table[low]!;
  const part = span === 0 ? 0 : (value - table[low]!) / span;
  return low + Math.min(Math.max(part, 0), 1);
}
