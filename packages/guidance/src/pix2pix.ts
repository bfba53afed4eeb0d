import { InvalidOptionError } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { composedFrom, predictPositive, recordOutputs } from './outputs.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';

export interface Pix2PixGuidanceOptions {
  /** Guidance towards the prompt. */
  readonly scale: GuidanceScale;
  /** Guidance towards the original image. */
  readonly imageScale: GuidanceScale;
}

/**
 * Guidance for models that edit an image (InstructPix2Pix, arXiv 2211.09800, eq. 3), on raw outputs:
 * `withoutImage + imageScale * (negative - withoutImage) + scale * (positive - negative)`, where `withoutImage` is the
 * output for the negative prompt without the image. Evaluates all three in one call, in the order of diffusers' pipeline;
 * as there, only the positive prompt if `scale` is at most 1 or `imageScale` is below 1.
 *
 * Throws an InvalidOptionError for a scale that is not finite, and at a run of a model that takes no image.
 */
export function pix2pixGuidance({ scale, imageScale }: Pix2PixGuidanceOptions): Guidance {
  checkScale(scale);
  checkScale(imageScale);
  const settings = { 'CFG scale': recorded(scale), 'Image CFG scale': recorded(imageScale) };
  return guidanceOf(settings, () => async (input) => {
    const [textWeight, imageWeight] = [scaleAt(scale, input.level), scaleAt(imageScale, input.level)];
    if (textWeight <= 1 || imageWeight < 1) return predictPositive(input);
    const { positive, negative, withoutImage } = input;
    if (withoutImage === undefined) {
      throw new InvalidOptionError('guidance', 'needs a model that takes an image as extra channels of the sample.');
    }
    const { input: recorder, outputs } = recordOutputs(input);
    await recorder.predict([...positive.map(({ embedding }) => embedding), negative, withoutImage]);
    const [text, image, neither] = [composedFrom(outputs, input)!, outputs.get(negative)!, outputs.get(withoutImage)!];
    return text.map((value, i) => neither[i] + textWeight * (value - image[i]) + imageWeight * (image[i] - neither[i]));
  });
}
