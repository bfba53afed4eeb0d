import { type Sampler, throwIfAborted } from '@sd/core';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix } from '../vector.js';
import { ancestralSplit, ancestralStep } from './ancestral.js';
import type { Dpm2Options } from './dpm2.js';

/**
 * DPM++ SDE: DPM-Solver++ for the SDE, singlestep, its middle at half the step in log(alpha / sigma) (k-diffusion's
 * `dpmpp_sde` with r = 1/2). Two calls and two draws of noise a step, from `from` to the middle and from `from` to `to`,
 * one call and none in a last step to the clean picture. The noise of the two is that of one path in k-diffusion.
 */
export function dpmppSde({ eta = 1, sNoise = 1, levelAt }: Dpm2Options = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      if (to.sigma === 0) {
        x = firstOrderStep(x, denoised, from, to);
      } else {
        const ratio = Math.sqrt(noiseRatio(from) * noiseRatio(to));
        const middle = levelAt?.(ratio) ?? levelBetween(from, to, ratio);
        const halfway = ancestralStep(
          x,
          denoised,
          from,
          ancestralSplit(from, middle, eta),
          mix([sNoise, noise(from, middle)]),
        );
        throwIfAborted(signal);
        const second = await denoise(halfway, middle);
        x = ancestralStep(x, second, from, ancestralSplit(from, to, eta), mix([sNoise, noise(from, to)]));
      }
      yield { x, level: to, denoised };
    }
  };
}
