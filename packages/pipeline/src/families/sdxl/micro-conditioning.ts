import { checkOptions, checkWhole, finite, type OptionRow, type OptionTable } from '@sd/core/options';
import type { Size } from '../family.js';
import type { MicroConditioning, MicroConditions } from './time-ids.js';

/** What SDXL is told of the picture to draw, as it was told of those that it was trained on. Sizes are in pixels. */
export interface MicroConditioningOptions {
  /** Its size before it was scaled: small ones look scaled up. The run's size by default. */
  readonly originalSize?: Size;
  /** How much was cropped; other values than 0 and 0, the default, move the subject out of the picture. */
  readonly cropTopLeft?: { readonly top: number; readonly left: number };
  /** The size that it was scaled to: the run's size by default. Not for the refiner. */
  readonly targetSize?: Size;
  /** Its rating: 6 by default, 2.5 for the negative prompt. For the refiner alone. */
  readonly aestheticScore?: number;
}

/** SDXL's own options of `generate`. */
export interface MicroConditioningPair {
  /** What SDXL is told of the picture's sizes. */
  readonly microConditioning?: MicroConditioningOptions;
  /** The same for the negative prompt; what is left out is as in `microConditioning`. */
  readonly negativeMicroConditioning?: MicroConditioningOptions;
}

/** @param scored True for the refiner, which takes an aesthetic score in place of a target size. */
export function microConditioningRows(scored: boolean): OptionTable<MicroConditioningPair> {
  const table = rows(scored);
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

function rows(scored: boolean): Record<string, OptionRow> {
  const size = wholeNumbers(['width', 'height'], 1);
  const sizes = { type: '{ width, height }', text: 'In pixels.', check: size };
  return {
    originalSize: sizes,
    cropTopLeft: {
      type: '{ top, left }',
      text: 'In pixels.',
      check: wholeNumbers(['top', 'left'], Number.MIN_SAFE_INTEGER),
    },
    ...(scored ? { aestheticScore: { ...finite, text: 'Up to about 10.' } } : { targetSize: sizes }),
  };
}

const wholeNumbers = (names: readonly string[], least: number) => (option: string, value: unknown) => {
  for (const name of names) checkWhole(`${option}.${name}`, (value as Record<string, unknown> | null)?.[name], least);
};

/** The numbers of both prompts in a pass that draws pictures of this size: diffusers' defaults, and its rules for the negative. */
export function readMicroConditioning(
  { microConditioning: positive = {}, negativeMicroConditioning: negative = {} }: MicroConditioningPair,
  scored: boolean,
  size: Size,
): MicroConditions {
  const uncropped = { top: 0, left: 0 };
  const filledIn = (given: MicroConditioningOptions, defaults: MicroConditioning): MicroConditioning => ({
    originalSize: given.originalSize ?? defaults.originalSize,
    cropTopLeft: given.cropTopLeft ?? defaults.cropTopLeft,
    targetSize: given.targetSize ?? defaults.targetSize,
  });
  const forPrompt = filledIn(positive, { originalSize: size, cropTopLeft: uncropped, targetSize: size });
  const forNegative = filledIn(negative, scored ? { ...forPrompt, cropTopLeft: uncropped } : forPrompt);
  if (!scored) return { positive: forPrompt, negative: forNegative };
  return {
    positive: { ...forPrompt, aestheticScore: positive.aestheticScore ?? 6 },
    negative: { ...forNegative, aestheticScore: negative.aestheticScore ?? 2.5 },
  };
}
