import type { NoiseLevel } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { firstOrderStep, middleLevel } from '../level.js';
import { mix } from '../vector.js';
import { ancestralSplit, ancestralStep } from './ancestral.js';
import type { Dpm2Options } from './dpm2.js';
import { stepwise, twiceAStep } from './stepwise.js';

/**
 * DPM++ SDE: singlestep DPM-Solver++ for the SDE, with the midpoint halfway in log(alpha / sigma) (k-diffusion's
 * `dpmpp_sde` with r = 1/2). Two calls and two draws of noise per step, from `from` to the midpoint and from `from` to
 * `to`; one call and no noise in a step to the clean image. In k-diffusion both draws come from one Brownian path.
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
