import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth, predictPositive } from './outputs.js';
import { withRescale } from './rescale.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';

export interface ClassifierFreeGuidanceOptions {
  readonly scale: GuidanceScale;
  /** How much of the output's spread is set back to the positive's, 0 to 1: `withRescale`. */
  readonly rescale?: number;
}

/**
 * Classifier-free guidance: `negative + scale * (positive - negative)` (arXiv 2207.12598, eq. 6, whose w is scale - 1), on
 * raw outputs, as diffusers does it. Both prompts in one call; at a scale of 1 or below, the positive's alone.
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
