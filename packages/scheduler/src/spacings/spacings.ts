import { InvalidOptionError, type NoiseLevel } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { cleanLevel } from '../level.js';
import { exponentialSigmas, type SigmaSpread } from './sigmas.js';
import { spacedTimesteps, type TimestepSpacing } from './timesteps.js';

/** Levels of whole timesteps, and the clean picture: `leading`, `trailing` or `linspace`. */
export function timestepSpacing(spacing: TimestepSpacing, { offset = 0 }: { readonly offset?: number } = {}): Spacing {
  return ({ trainTimesteps, level }, steps) => [
    ...spacedTimesteps(spacing, trainTimesteps, steps, offset).map(level),
    cleanLevel,
  ];
}

/** Levels between two noise ratios, the schedule's ends if left out, and the clean picture: `sigmaSpacing(karrasSigmas)`. */
export function sigmaSpacing(
  spread: SigmaSpread,
  { min, max }: { readonly min?: number; readonly max?: number } = {},
): Spacing {
  return ({ sigmas, levelAt }, steps) => [
    ...spread(steps, min ?? sigmas[0], max ?? sigmas.at(-1)!).map(levelAt),
    cleanLevel,
  ];
}

/** Equal factors down to the schedule's smallest sigma, where the run ends: diffusers' `interpolation_type: log_linear`. */
export const logLinear: Spacing = ({ sigmas, levelAt }, steps) =>
  exponentialSigmas(steps + 1, sigmas[0], sigmas.at(-1)!).map(levelAt);

/** Every so manieth entry of the table, from the noisiest (ComfyUI's `simple`). */
export const simple: Spacing = ({ trainTimesteps, level }, steps) =>
  ended(steps, (i) => level(trainTimesteps - 1 - Math.floor((i * trainTimesteps) / steps)));

/** Even timesteps from the noisiest, without the last (ComfyUI's `sgm_uniform`, of Stability's generative-models). */
export const sgmUniform: Spacing = ({ trainTimesteps, level }, steps) =>
  ended(steps, (i) => level((trainTimesteps - 1) * (1 - i / steps)));

function ended(steps: number, level: (i: number) => NoiseLevel): NoiseLevel[] {
  return [...Array.from({ length: steps }, (_, i) => level(i)), cleanLevel];
}

/** The caller's own noise ratios, sigma / alpha, from most to least; a last 0 may be left out. A run has as many steps. */
export function fixedSigmas(sigmas: readonly number[]): Spacing {
  return fixed('sigmas', sigmas.at(-1) === 0 ? sigmas.slice(0, -1) : sigmas, 'levelAt');
}

/** The caller's own training steps, from most noise to least, and the clean picture. A run has as many steps. */
export function fixedTimesteps(timesteps: readonly number[]): Spacing {
  return fixed('timesteps', timesteps, 'level');
}

function fixed(option: string, values: readonly number[], reader: 'level' | 'levelAt'): Spacing {
  if (values.some((value, i) => !(value >= 0) || value >= values[i - 1])) {
    throw new InvalidOptionError(option, `must fall, and not below 0: [${values}].`);
  }
  return (schedule, steps) => {
    if (steps === values.length) return [...values.map(schedule[reader]), cleanLevel];
    throw new InvalidOptionError('steps', `must be ${values.length}, as many as the ${option}.`);
  };
}
