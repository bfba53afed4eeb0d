import { InvalidOptionError, type NoiseLevel } from '@sd/core';

/**
 * How far to go from the negative prompt's output through the positive's: a number, or a function of the noise level as
 * the model sees it. At 1 or below the positive alone is asked for.
 */
export type GuidanceScale = number | ((level: NoiseLevel) => number);

/** Throws an InvalidOptionError for what cannot be a scale. */
export function checkScale(scale: GuidanceScale): void {
  if (typeof scale !== 'function' && !Number.isFinite(scale)) {
    throw new InvalidOptionError('scale', `must be a finite number or a function of the level, not ${scale}.`);
  }
}

/** The scale at a level. Throws an InvalidOptionError if a function gives what is no finite number. */
export function scaleAt(scale: GuidanceScale, level: NoiseLevel): number {
  if (typeof scale === 'number') return scale;
  const value = scale(level);
  if (Number.isFinite(value)) return value;
  throw new InvalidOptionError('scale', `must give a finite number, but is ${value} at timestep ${level.timestep}.`);
}

/** The scale as pictures record it; one that varies has no number. */
export function recorded(scale: GuidanceScale): number | undefined {
  return typeof scale === 'number' ? scale : undefined;
}
