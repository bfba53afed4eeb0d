import { InvalidOptionError } from '@sd/core';
import { checkOptional, finite, fraction, type OptionTable } from '@sd/core/options';
import { classifierFreeGuidance, type Guidance, pix2pixGuidance, predictPositive, withRescale } from '@sd/guidance';
import type { ModelTraits } from '../model-traits.js';

export interface GuidanceOptions {
  /** How strongly to follow the prompt: the family's default, mostly 7.5. At 1 or below, the negative prompt has no effect. */
  readonly guidanceScale?: number | undefined;
  /** How strongly to keep to the image, for models that change images (InstructPix2Pix): 1.5 by default. */
  readonly imageGuidanceScale?: number | undefined;
  /** How far the guided output's spread is set back to that of the prompt's, 0 to 1 (arXiv 2305.08891): 0 by default. */
  readonly guidanceRescale?: number | undefined;
  /** A guidance in place of the classifier-free one: from `@sd/guidance`, or a function of your own. */
  readonly guidance?: Guidance | undefined;
}

export const guidanceTable: OptionTable<GuidanceOptions> = {
  guidanceScale: {
    otherNames: ['cfg_scale', 'cfg', 'guidance'],
    ...finite,
    default: "7.5; 7 for Stable Diffusion 3; a distilled model's",
    text: 'How strongly to follow the prompt. At 1 or below, the negative prompt has no effect and a step takes half the time.',
  },
  imageGuidanceScale: {
    ...finite,
    default: '1.5',
    text: 'How closely to follow `image`; for InstructPix2Pix models only.',
  },
  guidanceRescale: {
    ...fraction,
    default: '0',
    text: "From 0 to 1: how far to rescale the guided output to the standard deviation of the prompt's (arXiv 2305.08891, 3.4).",
  },
  guidance: {
    type: 'Guidance',
    text: 'Another guidance in place of classifier-free guidance: from `@sd/guidance`, or your own function.',
    check: (option, value) => checkOptional(option, value, typeof value === 'function', 'a function'),
  },
};

/** Creates the guidance from its options. Throws an InvalidOptionError. */
export function readGuidance(
  options: GuidanceOptions,
  { imageInput, guidanceEmbeddingWidth, defaults }: ModelTraits,
): Guidance {
  const { guidance, guidanceScale: scale = defaults.guidanceScale, guidanceRescale: rescale = 0 } = options;
  const { imageGuidanceScale } = options;
  if (imageGuidanceScale !== undefined && imageInput !== 'image') {
    throw new InvalidOptionError(
      'imageGuidanceScale',
      'is for models that change images (InstructPix2Pix), and this is not one.',
    );
  }
  if (guidance !== undefined) {
    for (const name of ['guidanceScale', 'guidanceRescale', 'imageGuidanceScale'] as const) {
      if (options[name] !== undefined) throw new InvalidOptionError(name, 'has no effect with a custom guidance.');
    }
    return guidance;
  }
  if (guidanceEmbeddingWidth !== undefined) return selfGuidance(scale);
  if (imageInput !== 'image') return classifierFreeGuidance({ scale, rescale });
  const both = pix2pixGuidance({ scale, imageScale: imageGuidanceScale ?? 1.5 });
  return rescale === 0 ? both : withRescale(both, rescale);
}

/** For guidance-distilled models, which take the scale as an input and predict with the prompt alone. */
function selfGuidance(scale: number): Guidance {
  return Object.assign(() => predictPositive, { settings: { 'CFG scale': scale } });
}
