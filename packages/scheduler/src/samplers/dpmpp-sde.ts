import type { NoiseLevel } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { firstOrderStep, levelBetween, noiseRatio, safeAlpha } from '../level.js';
import { mix } from '../vector.js';
import { ancestralSplit, ancestralStep } from './ancestral.js';
import type { Dpm2Options } from './dpm2.js';
import { stepwise, twiceAStep } from './stepwise.js';

/**
 * DPM++ SDE: singlestep DPM-Solver++ for the SDE, with the midpoint halfway in log(alpha / sigma) (k-diffusion's
 * `dpmpp_sde` with r = 1/2). Two calls and two draws of noise per step, from `from` to the midpoint and from `from` to
 * `to`; one call and no noise in a step to the clean image. In k-diffusion both draws come from one Brownian path:
 * `brownianNoise`.
 */
export function dpmppSde({ eta = 1, sNoise = 1, levelAt }: Dpm2Options = {}): CountedSampler {
  return twiceAStep(
    stepwise(({ denoise, noise }) => async (x, denoised, from, to) => {
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      const [start, end] = [logTime(from), logTime(to)];
      const half = Math.fround(start + Math.fround(end - start) / 2);
      const middle = levelAt?.(ratioAt(half)) ?? levelBetween(from, to, ratioAt(half));
      const go = (target: NoiseLevel, time: number, estimate: Float32Array) => {
        const fresh = noise(withRatio(from, ratioAt(start)), withRatio(target, ratioAt(time)));
        return ancestralStep(x, estimate, from, ancestralSplit(from, target, eta), mix([sNoise, fresh]));
      };
      return go(to, end, await denoise(go(middle, half, denoised), middle));
    }),
  );
}

// In float32, as k-diffusion computes them: a Brownian path is rough enough to show such rounding.

function logTime(level: NoiseLevel): number {
  return -Math.fround(Math.log(Math.fround(noiseRatio(level))));
}

function ratioAt(time: number): number {
  return Math.fround(Math.exp(-time));
}

function withRatio(level: NoiseLevel, ratio: number): NoiseLevel {
  return { ...level, sigma: ratio * safeAlpha(level) };
}
