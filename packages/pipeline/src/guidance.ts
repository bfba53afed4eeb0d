import { InvalidOptionError } from '@sd/core';
import { classifierFreeGuidance, type Guidance, pix2pixGuidance, predictPositive, withRescale } from '@sd/guidance';
import type { StageFacts } from './stage-facts.js';

export interface GuidanceOptions {
  /** How strongly to follow the prompt: 7.5 by default. At 1 or below, the negative prompt has no part. */
  readonly guidanceScale?: number;
  /** How strongly to keep to the picture, for models that change pictures (InstructPix2Pix): 1.5 by default. */
  readonly imageGuidanceScale?: number;
  /** How much of the guided output's spread is set back to the prompt's own, 0 to 1 (arXiv 2305.08891): 0 by default. */
  readonly guidanceRescale?: number;
  /** Another guidance than the classifier-free one that those two describe: a part of `@sd/unet`, or a function. */
  readonly guidance?: Guidance;
}

/** The guidance that options ask for. Throws an InvalidOptionError. */
export function readGuidance(
  options: GuidanceOptions,
  { shown, guidanceWidth }: Pick<StageFacts, 'shown' | 'guidanceWidth'>,
): Guidance {
  const { guidance, guidanceScale = 7.5, guidanceRescale = 0, imageGuidanceScale: imageScale } = options;
  if (imageScale !== undefined && shown !== 'picture') {
    throw new InvalidOptionError('imageGuidanceScale', 'is for models that change pictures, which this one is not.');
  }
  if (guidance === undefined) {
    if (!Number.isFinite(guidanceScale))
      throw new InvalidOptionError('guidanceScale', `must be a finite number, not ${guidanceScale}.`);
    if (!(guidanceRescale >= 0 && guidanceRescale <= 1)) {
      throw new InvalidOptionError('guidanceRescale', `must be from 0 to 1, not ${guidanceRescale}.`);
    }
    if (guidanceWidth !== undefined) return guidedByItself(guidanceScale);
    if (shown !== 'picture') return classifierFreeGuidance({ scale: guidanceScale, rescale: guidanceRescale });
    if (!Number.isFinite(imageScale ?? 1)) {
      throw new InvalidOptionError('imageGuidanceScale', `must be a finite number, not ${imageScale}.`);
    }
    const both = pix2pixGuidance({ scale: guidanceScale, imageScale: imageScale ?? 1.5 });
    return guidanceRescale === 0 ? both : withRescale(both, guidanceRescale);
  }
  if (typeof guidance !== 'function') throw new InvalidOptionError('guidance', `must be a function, not ${guidance}.`);
  for (const name of ['guidanceScale', 'guidanceRescale', 'imageGuidanceScale'] as const) {
    if (options[name] !== undefined) throw new InvalidOptionError(name, 'has no part where a guidance is given.');
  }
  return guidance;
}

/** For models that are told the scale: they are asked for the prompt alone. */
function guidedByItself(scale: number): Guidance {
  return Object.assign(() => predictPositive, { settings: { 'CFG scale': scale } });
}
