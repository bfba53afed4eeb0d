import { InvalidOptionError } from '@sd/core';
import { classifierFreeGuidance, type Guidance } from '@sd/unet';

export interface GuidanceOptions {
  /** How strongly to follow the prompt: 7.5 by default. At 1 or below, the negative prompt has no part. */
  readonly guidanceScale?: number;
  /** How much of the guided output's spread is set back to the prompt's own, 0 to 1 (arXiv 2305.08891): 0 by default. */
  readonly guidanceRescale?: number;
  /** Another guidance than the classifier-free one that those two describe: a part of `@sd/unet`, or a function. */
  readonly guidance?: Guidance;
}

/** The guidance that options ask for. Throws an InvalidOptionError. */
export function readGuidance(options: GuidanceOptions): Guidance {
  const { guidance, guidanceScale = 7.5, guidanceRescale = 0 } = options;
  if (guidance === undefined) {
    if (!Number.isFinite(guidanceScale))
      throw new InvalidOptionError('guidanceScale', `must be a finite number, not ${guidanceScale}.`);
    if (!(guidanceRescale >= 0 && guidanceRescale <= 1)) {
      throw new InvalidOptionError('guidanceRescale', `must be from 0 to 1, not ${guidanceRescale}.`);
    }
    return classifierFreeGuidance({ scale: guidanceScale, rescale: guidanceRescale });
  }
  if (typeof guidance !== 'function') throw new InvalidOptionError('guidance', `must be a function, not ${guidance}.`);
  for (const name of ['guidanceScale', 'guidanceRescale'] as const) {
    if (options[name] !== undefined) throw new InvalidOptionError(name, 'has no part where a guidance is given.');
  }
  return guidance;
}
