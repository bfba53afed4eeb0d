import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth, predictPositive } from './outputs.js';
import { withRescale } from './rescale.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';

export interface ClassifierFreeGuidanceOptions {
  readonly scale: GuidanceScale;
  /** Fraction by which the output's standard deviation is rescaled to the positive's, as in `withRescale`: 0 by default. */
  readonly rescale?: number;
}

/**
 * Classifier-free guidance on raw outputs, as in diffusers: `negative + scale * (positive - negative)` (arXiv 2207.12598,
 * eq. 6, with w = scale - 1). Evaluates both prompts in one call; at a scale of 1 or below, only the positive one.
 */
export function classifierFreeGuidance({ scale, rescale = 0 }: ClassifierFreeGuidanceOptions): Guidance {
  checkScale(scale);
  const guidance = guidanceOf({ 'CFG scale': recorded(scale) }, () => async (input) => {
    const w = scaleAt(scale, input.level);
    if (w <= 1) return predictPositive(input);
    const { positive, negative } = await predictBoth(input);
    return positive.map((value, i) => negative[i] + w * (value - negative[i]));
  });
  return rescale === 0 ? guidance : withRescale(guidance, rescale);
}
