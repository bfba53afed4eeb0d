import { InvalidOptionError, show } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { predictBoth, predictPositive } from './outputs.js';
import { checkScale, type GuidanceScale, recorded, scaleAt } from './scale.js';
import { dot } from './vector.js';

export interface CfgZeroStarOptions {
  readonly scale: GuidanceScale;
  /**
   * Zero-init: the number of evaluations at the start of a run that give zeros without a call of the model. 0 by default;
   * diffusers' default is 1. Meant for flow models, where a zero velocity leaves the sample unchanged; as epsilon, zeros
   * would mean a sample without noise.
   */
  readonly zeroInitSteps?: number;
}

/**
 * CFG-Zero* (arXiv 2503.18886, algorithm 1) on raw outputs, as in diffusers: scales the negative output by
 * `s = <positive, negative> / |negative|²`, the least-squares fit to the positive one, then gives
 * `s * negative + scale * (positive - s * negative)`. At a scale of 1 or below only the positive prompt is evaluated.
 */
export function cfgZeroStar({ scale, zeroInitSteps = 0 }: CfgZeroStarOptions): Guidance {
  checkScale(scale);
  if (!Number.isSafeInteger(zeroInitSteps) || zeroInitSteps < 0) {
    throw new InvalidOptionError('zeroInitSteps', `must be a whole number of at least 0, not ${show(zeroInitSteps)}.`);
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
