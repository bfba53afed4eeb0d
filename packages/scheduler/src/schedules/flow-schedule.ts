import { flowLevel } from '../level.js';
import type { NoiseSchedule } from './noise-schedule.js';

export interface FlowOptions {
  readonly trainTimesteps?: number;
  /** Moves levels towards noise, for larger pictures (arXiv 2403.03206, eq. 23): 3 in Stable Diffusion 3; 1 if left out. */
  readonly shift?: number;
}

/** Shifts a flow's sigma: `shift * sigma / (1 + (shift - 1) * sigma)` (arXiv 2403.03206, eq. 23). */
export function shiftSigma(sigma: number, shift: number): number {
  return (shift * sigma) / (1 + (shift - 1) * sigma);
}

/**
 * The schedule of a rectified flow: alpha + sigma = 1, and the model is told `sigma * trainTimesteps`. Shifted, its training
 * steps are those of even sigmas shifted.
 */
export function flowSchedule({ trainTimesteps = 1000, shift = 1 }: FlowOptions = {}): NoiseSchedule {
  const sigmas = Float32Array.from({ length: trainTimesteps }, (_, i) => {
    const sigma = shiftSigma((i + 1) / trainTimesteps, shift);
    return sigma / Math.max(1 - sigma, 2 ** -12);
  });
  return {
    trainTimesteps,
    sigmas,
    level: (timestep) => flowLevel(Math.min(Math.max(timestep / trainTimesteps, 0), 1), timestep),
    levelAt: (ratio) => flowLevel(ratio / (1 + ratio), (trainTimesteps * ratio) / (1 + ratio)),
  };
}
