import type { CountedSampler } from '../create-scheduler.js';
import { firstOrderStep, middleLevel } from '../level.js';
import { mix } from '../vector.js';
import { ancestralSplit } from './ancestral.js';
import type { Dpm2Options } from './dpm2.js';
import { stepwise, twiceAStep } from './stepwise.js';

/**
 * DPM++ 2S ancestral: DPM-Solver++(2S) with the midpoint halfway in log(alpha / sigma) (arXiv 2211.01095, algorithm 1), and
 * ancestral noise (k-diffusion's `dpmpp_2s_ancestral`). Two calls per step, one in a step to the clean image. Draws noise
 * at every step except that one; none with eta 0.
 */
export function dpmpp2sAncestral({ eta = 1, sNoise = 1, levelAt }: Dpm2Options = {}): CountedSampler {
  return twiceAStep(
    stepwise(({ denoise, noise }) => async (x, denoised, from, to) => {
      const { down, up } = ancestralSplit(from, to, eta);
      let used = denoised;
      if (down.sigma > 0) {
        const middle = middleLevel(from, down, levelAt);
        used = await denoise(firstOrderStep(x, denoised, from, middle), middle);
      }
      x = firstOrderStep(x, used, from, down);
      return to.sigma > 0 && eta > 0 ? mix([1, x], [up * sNoise, noise(from, to)]) : x;
    }),
  );
}
