import { InvalidOptionError, type NoiseLevel, show } from '@sd/core';

/**
 * How far to extrapolate from the negative output through the positive one: a number, or a function of the noise level as
 * the model sees it. At 1 or below only the positive prompt is evaluated.
 */
export type GuidanceScale = number | ((level: NoiseLevel) => number);

/** Throws an InvalidOptionError for a number that is not finite. */
export function checkScale(scale: GuidanceScale): void {
  if (typeof scale !== 'function' && !Number.isFinite(scale)) {
    throw new InvalidOptionError('scale', `must be a finite number or a function of the level, not ${show(scale)}.`);
  }
}

/** The scale at a level. Throws an InvalidOptionError if a function does not return a finite number. */
export function scaleAt(scale: GuidanceScale, level: NoiseLevel): number {
  if (typeof scale === 'number') return scale;
  const value = scale(level);
  if (Number.isFinite(value)) return value;
  throw new InvalidOptionError(
    'scale',
    `must return a finite number, but gave ${show(value)} at timestep ${level.timestep}.`,
  );
}

/** The scale to record in images; undefined for a function. */
export function recorded(scale: GuidanceScale): number | undefined {
  return typeof scale === 'number' ? scale : undefined;
}
