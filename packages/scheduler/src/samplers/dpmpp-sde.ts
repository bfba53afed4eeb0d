import type { NoiseLevel } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { firstOrderStep, middleLevel } from '../level.js';
import { mix } from '../vector.js';
import { ancestralSplit, ancestralStep } from './ancestral.js';
import type { Dpm2Options } from './dpm2.js';
import { stepwise, twiceAStep } from './stepwise.js';

/**
 * DPM++ SDE: DPM-Solver++ for the SDE, singlestep, its middle at half the step in log(alpha / sigma) (k-diffusion's
 * `dpmpp_sde` with r = 1/2). Two calls and two draws of noise a step, from `from` to the middle and from `from` to `to`,
 * one call and none in a last step to the clean picture. The noise of the two is that of one path in k-diffusion.
 */
export function dpmppSde({ eta = 1, sNoise = 1, levelAt }: Dpm2Options = {}): CountedSampler {
  return twiceAStep(
    stepwise(({ denoise, noise }) => async (x, denoised, from, to) => {
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      const middle = middleLevel(from, to, levelAt);
      const go = (target: NoiseLevel, estimate: Float32Array) =>
        ancestralStep(x, estimate, from, ancestralSplit(from, target, eta), mix([sNoise, noise(from, target)]));
      return go(to, await denoise(go(middle, denoised), middle));
    }),
  );
}
