import { InvalidOptionError } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth, predictPositive } from './outputs.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';
import { dot } from './vector.js';

export interface CfgZeroStarOptions {
  readonly scale: GuidanceScale;
  /**
   * Zero-init: for how many calls of the model at the start of a run the output is 0, and the model is not asked. 0 if left
   * out; diffusers has 1. For flow models, whose sample then stays where it is: to an epsilon model, 0 says that its
   * sample has no noise.
   */
  readonly zeroInitSteps?: number;
}

/**
 * CFG-Zero* (arXiv 2503.18886, algorithm 1): the negative output is first scaled to be as near to the positive's as it can,
 * `s = <positive, negative> / |negative|²`, then `s * negative + scale * (positive - s * negative)`. On raw outputs, as
 * diffusers does it. At a scale of 1 or below, the positive's alone.
 */
export function cfgZeroStar({ scale, zeroInitSteps = 0 }: CfgZeroStarOptions): Guidance {
  checkScale(scale);
  if (!Number.isSafeInteger(zeroInitSteps) || zeroInitSteps < 0) {
    throw new InvalidOptionError('zeroInitSteps', `must be a whole number from 0 up, not ${zeroInitSteps}.`);
  }
  const settings = { Guidance: 'CFG-Zero*', 'CFG scale': recorded(scale), 'Zero init steps': zeroInitSteps };
  return guidanceOf(settings, () => {
    let calls = 0;
    return async (input) => {
      calls += 1;
      if (calls <= zeroInitSteps) return new Float32Array(input.x.length);
      const w = scaleAt(scale, input.level);
      if (w <= 1) return predictPositive(input);
      const { positive, negative } = await predictBoth(input);
      const s = dot(positive, negative) / (dot(negative, negative) + 1e-8);
      return positive.map((value, i) => s * negative[i] + w * (value - s * negative[i]));
    };
  });
}
