import { flowLevel, noiseRatio } from '../level.js';
import type { NoiseSchedule } from './noise-schedule.js';

export interface FlowOptions {
  readonly trainTimesteps?: number;
  /** Moves levels towards noise, for larger images (arXiv 2403.03206, eq. 23): 3 in Stable Diffusion 3; 1 by default. */
  readonly shift?: number;
}

/** Shifts a flow's sigma: `shift * sigma / (1 + (shift - 1) * sigma)` (arXiv 2403.03206, eq. 23). */
export function shiftSigma(sigma: number, shift: number): number {
  return (shift * sigma) / (1 + (shift - 1) * sigma);
}

/**
 * The schedule of a rectified flow: alpha + sigma = 1, with the timestep `sigma * trainTimesteps`. Its training steps have
 * evenly spaced sigmas from just above 0 to 1, shifted.
 */
export function flowSchedule({ trainTimesteps = 1000, shift = 1 }: FlowOptions = {}): NoiseSchedule {
  const at = (sigma: number) => flowLevel(sigma, sigma * trainTimesteps);
  const level = (step: number) => at(shiftSigma(Math.min(step + 1, trainTimesteps) / trainTimesteps, shift));
  return {
    trainTimesteps,
    sigmas: Float32Array.from({ length: trainTimesteps }, (_, i) => noiseRatio(level(i))),
    level,
    levelAt: (ratio) => at(ratio / (1 + ratio)),
  };
}
