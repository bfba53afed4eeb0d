import { InvalidOptionError, type NoiseLevel } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { cleanLevel } from '../level.js';
import { exponentialSigmas, type SigmaSpread } from './sigmas.js';
import { spacedTimesteps, type TimestepSpacing } from './timesteps.js';

/** Levels at integer timesteps (`leading`, `trailing` or `linspace`), then the clean image. */
export function timestepSpacing(spacing: TimestepSpacing, { offset = 0 }: { readonly offset?: number } = {}): Spacing {
  return ({ trainTimesteps, level }, steps) => [
    ...spacedTimesteps(spacing, trainTimesteps, steps, offset).map(level),
    cleanLevel,
  ];
}

/** Levels spread between two noise ratios, by default the schedule's ends, then the clean image: `sigmaSpacing(karrasSigmas)`. */
export function sigmaSpacing(
  spread: SigmaSpread,
  { min, max }: { readonly min?: number; readonly max?: number } = {},
): Spacing {
  return ({ sigmas, levelAt }, steps) => [
    ...spread(steps, min ?? sigmas[0], max ?? sigmas.at(-1)!).map(levelAt),
    cleanLevel,
  ];
}

/** Geometric progression down to the schedule's smallest sigma, where the run ends: diffusers' `interpolation_type: log_linear`. */
export const logLinear: Spacing = ({ sigmas, levelAt }, steps) =>
  exponentialSigmas(steps + 1, sigmas[0], sigmas.at(-1)!).map(levelAt);

/** Evenly selected table entries, from the noisiest (ComfyUI's `simple`). */
export const simple: Spacing = ({ trainTimesteps, level }, steps) =>
  endingClean(steps, (i) => level(trainTimesteps - 1 - Math.floor(i * (trainTimesteps / steps))));

/** Evenly spaced timesteps from the noisiest, without the last (ComfyUI's `sgm_uniform`, from Stability's generative-models). */
export const sgmUniform: Spacing = ({ trainTimesteps, level }, steps) =>
  endingClean(steps, (i) => level((trainTimesteps - 1) * (1 - i / steps)));

function endingClean(steps: number, level: (i: number) => NoiseLevel): NoiseLevel[] {
  return [...Array.from({ length: steps }, (_, i) => level(i)), cleanLevel];
}

/** Explicit noise ratios, sigma / alpha, from most to least; a final 0 is optional. A run must have as many steps. */
export function fixedSigmas(sigmas: readonly number[]): Spacing {
  return fixed('sigmas', sigmas.at(-1) === 0 ? sigmas.slice(0, -1) : sigmas, 'levelAt');
}

/** Explicit training steps, from most noise to least, then the clean image. A run must have as many steps. */
export function fixedTimesteps(timesteps: readonly number[]): Spacing {
  return fixed('timesteps', timesteps, 'level');
}

function fixed(option: string, values: readonly number[], reader: 'level' | 'levelAt'): Spacing {
  if (values.some((value, i) => !(value >= 0) || value >= values[i - 1])) {
    throw new InvalidOptionError(option, `must decrease and stay at or above 0, not [${values}].`);
  }
  return (schedule, steps) => {
    if (steps === values.length) return [...values.map(schedule[reader]), cleanLevel];
    throw new InvalidOptionError('steps', `must be ${values.length}, the number of ${option}.`);
  };
}
