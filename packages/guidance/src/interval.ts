import { InvalidOptionError, show } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictPositive } from './outputs.js';

/** A range of the ratio sigma / alpha, which is k-diffusion's sigma: above `from`, up to and including `to`. */
export interface GuidanceInterval {
  /** 0 by default: to the end of the run. */
  readonly from?: number;
  /** Infinity by default: from the start of the run. */
  readonly to?: number;
}

/**
 * Limits any guidance to an interval of noise levels (Applying guidance in a limited interval improves sample and
 * distribution quality in diffusion models, arXiv 2404.07724, section 3). Outside of it only the positive prompt is
 * evaluated, in half the time. The guidance is not called there, so that it counts steps and builds momentum only inside.
 */
export function withinInterval(guidance: Guidance, { from = 0, to = Infinity }: GuidanceInterval): Guidance {
  if (!(from >= 0))
    throw new InvalidOptionError('from', `must be a ratio sigma / alpha of at least 0, not ${show(from)}.`);
  if (!(to > from))
    throw new InvalidOptionError('to', `must be a ratio sigma / alpha above ${show(from)}, not ${show(to)}.`);
  return guidanceOf({ ...guidance.settings, 'Guidance interval': `${from} to ${to}` }, () => {
    const guide = guidance();
    return (input) => {
      const ratio = input.level.sigma / input.level.alpha;
      return ratio > from && ratio <= to ? guide(input) : predictPositive(input);
    };
  });
}
