import { InvalidOptionError } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { composedFrom, predictPositive, remembering } from './outputs.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';

export interface Pix2PixGuidanceOptions {
  /** How strongly to follow the prompt. */
  readonly scale: GuidanceScale;
  /** How strongly to keep to the picture. */
  readonly imageScale: GuidanceScale;
}

/**
 * Guidance of models that are shown the picture to change (InstructPix2Pix, arXiv 2211.09800, eq. 3), on raw outputs:
 * `blind + imageScale * (negative - blind) + scale * (positive - negative)`, where blind is the negative prompt without the
 * picture. All three in one call, in the order of diffusers' pipeline. As there, the positive's alone where `scale` is at
 * most 1 or `imageScale` below 1. Throws an InvalidOptionError for a model that is shown nothing.
 */
export function pix2pixGuidance({ scale, imageScale }: Pix2PixGuidanceOptions): Guidance {
  checkScale(scale);
  checkScale(imageScale);
  const settings = { 'CFG scale': recorded(scale), 'Image CFG scale': recorded(imageScale) };
  return guidanceOf(settings, () => async (given) => {
    const [w, v] = [scaleAt(scale, given.level), scaleAt(imageScale, given.level)];
    if (w <= 1 || v < 1) return predictPositive(given);
    const { positive, negative, blind } = given;
    if (blind === undefined) {
      throw new InvalidOptionError('guidance', 'is for a model that is shown a picture beside the sample.');
    }
    const { input, outputs } = remembering(given);
    await input.predict([...positive.map(({ embedding }) => embedding), negative, blind]);
    const [text, image, none] = [composedFrom(outputs, input)!, outputs.get(negative)!, outputs.get(blind)!];
    return text.map((value, i) => none[i] + w * (value - image[i]) + v * (image[i] - none[i]));
  });
}
