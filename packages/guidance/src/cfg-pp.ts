import { InvalidOptionError, show } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth } from './outputs.js';

/**
 * Guidance for the CFG++ samplers (arXiv 2406.08070, algorithm 2): `negative + lambda * (positive - negative)`, with
 * lambda from 0 to 1 in the paper. Unlike `classifierFreeGuidance` it always evaluates both prompts, since the sampler
 * takes its noise from the negative output; so from 0 to 1 it interpolates.
 */
export function cfgPpGuidance({ lambda }: { readonly lambda: number }): Guidance {
  if (!Number.isFinite(lambda)) throw new InvalidOptionError('lambda', `must be a finite number, not ${show(lambda)}.`);
  return guidanceOf({ Guidance: 'CFG++', 'CFG scale': lambda }, () => async (input) => {
    const { positive, negative } = await predictBoth(input);
    return positive.map((value, i) => negative[i] + lambda * (value - negative[i]));
  });
}
