import type { CountedSampler } from '../create-scheduler.js';
import { firstOrderStep, type LevelAt, middleLevel, noiseRatio, safeAlpha } from '../level.js';
import { mix } from '../vector.js';
import { type AncestralOptions, ancestralSplit } from './ancestral.js';
import { stepwise, twiceAStep } from './stepwise.js';

export interface Dpm2Options extends AncestralOptions {
  /** The noise schedule's `levelAt`. Without it, middle levels are estimated from their neighbours. */
  readonly levelAt?: LevelAt;
}

/**
 * The midpoint method, with the midpoint at the geometric mean of the two sigmas (k-diffusion's `dpm_2`, after
 * DPM-Solver-2, arXiv 2206.00927). Two calls per step, one in a step to the clean image.
 */
export function dpm2(options: Pick<Dpm2Options, 'levelAt'> = {}): CountedSampler {
  return dpm2Ancestral({ ...options, eta: 0 });
}

/** `dpm2` with ancestral noise (k-diffusion's `dpm_2_ancestral`). Draws noise at every step except one to the clean image; none with eta 0. */
export function dpm2Ancestral({ eta = 1, sNoise = 1, levelAt }: Dpm2Options = {}): CountedSampler {
  return twiceAStep(
    stepwise(({ denoise, noise }) => async (x, denoised, from, to) => {
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      const { down, up } = ancestralSplit(from, to, eta);
      const [high, low] = [noiseRatio(from), noiseRatio(down)];
      const middle = middleLevel(from, down, levelAt);
      const halfway = firstOrderStep(x, denoised, from, middle);
      const second = await denoise(halfway, middle);
      const slope = (safeAlpha(to) * (low - high)) / noiseRatio(middle);
      x = mix([safeAlpha(to) / safeAlpha(from), x], [slope / middle.alpha, halfway], [-slope, second]);
      return eta > 0 ? mix([1, x], [up * sNoise, noise(from, to)]) : x;
    }),
  );
}
