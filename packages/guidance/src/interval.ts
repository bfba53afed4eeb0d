import { InvalidOptionError } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictPositive } from './outputs.js';

/** Noise ratios sigma / alpha, the sigma of the k-diffusion family: above `from`, up to and with `to`. */
export interface GuidanceInterval {
  /** 0 if left out: to the end of the run. */
  readonly from?: number;
  /** Infinity if left out: from the start of the run. */
  readonly to?: number;
}

/**
 * Guides in an interval of noise only, around any guidance (Applying guidance in a limited interval improves sample and
 * distribution quality in diffusion models, arXiv 2404.07724, section 3). Outside it, the positive runs alone, which
 * takes half the time; the guidance is not called, so that its steps and its momentum are those inside.
 */
export function withinInterval(guidance: Guidance, { from = 0, to = Infinity }: GuidanceInterval): Guidance {
  if (!(from >= 0)) throw new InvalidOptionError('from', `must be a noise ratio from 0 up, not ${from}.`);
  if (!(to > from)) throw new InvalidOptionError('to', `must be a noise ratio above ${from}, not ${to}.`);
  return guidanceOf({ ...guidance.settings, 'Guidance interval': `${from} to ${to}` }, () => {
    const guide = guidance();
    return (input) => {
      const ratio = input.level.sigma / input.level.alpha;
      return ratio > from && ratio <= to ? guide(input) : predictPositive(input);
    };
  });
}
