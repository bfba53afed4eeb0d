import { checkOptions, checkWhole, finite, type OptionRow, type OptionTable } from '@sd/core/options';
import type { Size } from '../family.js';
import type { MicroConditioning, MicroConditions } from './time-ids.js';

/** SDXL's micro-conditioning on the sizes of an image, in pixels, as in training (arXiv 2307.01952, 2.2). */
export interface MicroConditioningOptions {
  /** The image's size before it was resized: small sizes give results that look upscaled. The run's size by default. */
  readonly originalSize?: Size;
  /** The upper left corner of the crop, by default 0 and 0; other values move the subject out of the image. */
  readonly cropTopLeft?: { readonly top: number; readonly left: number };
  /** The size that it was resized to: the run's size by default. Not for the refiner. */
  readonly targetSize?: Size;
  /** Its aesthetic rating: 6 by default, 2.5 for the negative prompt. Only for the refiner. */
  readonly aestheticScore?: number;
}

/** Options of `generate` for SDXL. */
export interface MicroConditioningPair {
  /** The micro-conditioning of the prompt. */
  readonly microConditioning?: MicroConditioningOptions;
  /** The micro-conditioning of the negative prompt; by default that of `microConditioning`. */
  readonly negativeMicroConditioning?: MicroConditioningOptions;
}

/**
 * The rows of SDXL's options.
 * @param hasAestheticScore True for the refiner, which takes an aesthetic score in place of a target size.
 */
export function microConditioningRows(hasAestheticScore: boolean): OptionTable<MicroConditioningPair> {
  const table = rows(hasAestheticScore);
  const check = (option: string, value: unknown) => checkOptions(value, table, { of: option, prefix: `${option}.` });
  return {
    microConditioning: {
      type: 'object',
      default: "the run's size, uncropped",
      text: 'The sizes that condition SDXL: `originalSize` and `targetSize` as `{ width, height }`, `cropTopLeft` as `{ top, left }`; for the refiner `aestheticScore` (6) in place of the target size.',
      check,
    },
    negativeMicroConditioning: {
      type: 'object',
      default: 'as `microConditioning`',
      text: "The same for the negative prompt. Its `aestheticScore` is 2.5, and the refiner's crop does not carry over to it.",
      check,
    },
  };
}

function rows(hasAestheticScore: boolean): Record<string, OptionRow> {
  const size = wholeNumbers(['width', 'height'], 1);
  const sizes = { type: '{ width, height }', text: 'In pixels.', check: size };
  return {
    originalSize: sizes,
    cropTopLeft: {
      type: '{ top, left }',
      text: 'In pixels.',
      check: wholeNumbers(['top', 'left'], Number.MIN_SAFE_INTEGER),
    },
    ...(hasAestheticScore ? { aestheticScore: { ...finite, text: 'Up to about 10.' } } : { targetSize: sizes }),
  };
}

const wholeNumbers = (names: readonly string[], minimum: number) => (option: string, value: unknown) => {
  for (const name of names) checkWhole(`${option}.${name}`, (value as Record<string, unknown> | null)?.[name], minimum);
};

/** The micro-conditioning of both prompts for a pass at this image size, with diffusers' defaults. */
export function readMicroConditioning(
  { microConditioning: positive = {}, negativeMicroConditioning: negative = {} }: MicroConditioningPair,
  hasAestheticScore: boolean,
  size: Size,
): MicroConditions {
  const uncropped = { top: 0, left: 0 };
  const filledIn = (given: MicroConditioningOptions, defaults: MicroConditioning): MicroConditioning => ({
    originalSize: given.originalSize ?? defaults.originalSize,
    cropTopLeft: given.cropTopLeft ?? defaults.cropTopLeft,
    targetSize: given.targetSize ?? defaults.targetSize,
  });
  const forPrompt = filledIn(positive, { originalSize: size, cropTopLeft: uncropped, targetSize: size });
  const forNegative = filledIn(negative, hasAestheticScore ? { ...forPrompt, cropTopLeft: uncropped } : forPrompt);
  if (!hasAestheticScore) return { positive: forPrompt, negative: forNegative };
  return {
    positive: { ...forPrompt, aestheticScore: positive.aestheticScore ?? 6 },
    negative: { ...forNegative, aestheticScore: negative.aestheticScore ?? 2.5 },
  };
}
