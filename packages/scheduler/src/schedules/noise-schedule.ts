import type { NoiseLevel } from '@sd/core';
import { type LevelAt, preservingLevel } from '../level.js';
import { indexOf, valueAt } from '../numbers.js';

/** Which noise level belongs to which timestep: what a model was trained on. */
export interface NoiseSchedule {
  /** How many steps the model was trained with: 1000 in Stable Diffusion. A run has at most as many. */
  readonly trainTimesteps: number;
  /** Noise ratio, `sigma / alpha`, of each training step, rising. */
  readonly sigmas: Float32Array;
  /** The level of a training step from 0 to trainTimesteps - 1; between two, sigma / alpha is interpolated linearly. */
  readonly level: (step: number) => NoiseLevel;
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
    level: (step) => {
      const t = Math.min(Math.max(step, 0), last);
      if (!Number.isInteger(t)) return preservingLevel(valueAt(sigmas, t), t);
      const signal = alphasCumprod[t];
      return { alpha: Math.sqrt(signal), sigma: Math.sqrt(1 - signal), timestep: t };
    },
    levelAt: (ratio) => preservingLevel(ratio, indexOf(logSigmas, Math.log(ratio))),
  };
}
