import type { NoiseLevel } from '@sd/core';
import { type LevelAt, preservingLevel } from '../level.js';
import { log32 } from '../log32.js';
import { indexOf, valueAt } from '../numbers.js';

/** The noise level of each timestep that a model was trained on. */
export interface NoiseSchedule {
  /** Number of training steps, 1000 in Stable Diffusion. A run has at most as many steps. */
  readonly trainTimesteps: number;
  /** The noise ratio `sigma / alpha` of each training step, increasing. */
  readonly sigmas: Float32Array;
  /** The level of a training step from 0 to trainTimesteps - 1. For fractional steps, sigma / alpha is interpolated linearly. */
  readonly level: (step: number) => NoiseLevel;
  /** The level with a noise ratio. Its timestep is interpolated over log(sigma / alpha) and clamped to the table. */
  readonly levelAt: LevelAt;
}

/**
 * A variance-preserving schedule (alpha² + sigma² = 1) from the alphasCumprod of its training steps, which must decrease.
 * The last may be 0 (zero terminal SNR); `sigmas` then uses 2^-24 in its place.
 */
export function discreteSchedule(alphasCumprod: Float32Array): NoiseSchedule {
  const last = alphasCumprod.length - 1;
  const sigmas = alphasCumprod.map((value) => {
    const signal = Math.max(value, 2 ** -24);
    return Math.sqrt(Math.fround(Math.fround(1 - signal) / signal));
  });
  const logSigmas = sigmas.map(log32);
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
