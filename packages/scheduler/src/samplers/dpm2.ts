import { type Sampler, throwIfAborted } from '@sd/core';
import { firstOrderStep, type LevelAt, levelBetween, noiseRatio, safeAlpha } from '../level.js';
import { mix } from '../vector.js';
import { type AncestralOptions, ancestralSplit } from './ancestral.js';

export interface Dpm2Options extends AncestralOptions {
  /** The noise schedule's; middle levels are estimated from their neighbours without it. */
  readonly levelAt?: LevelAt;
}

/**
 * The midpoint method, its middle at the geometric mean of the two sigmas (k-diffusion's `dpm_2`, after DPM-Solver-2,
 * arXiv 2206.00927). Two calls a step, one in the last.
 */
export function dpm2({ levelAt }: Pick<Dpm2Options, 'levelAt'> = {}): Sampler {
  return dpm2Ancestral({ eta: 0, ...(levelAt && { levelAt }) });
}

/** The same with ancestral noise (k-diffusion's `dpm_2_ancestral`). Draws noise at every step but the last; none with eta 0. */
export function dpm2Ancestral({ eta = 1, sNoise = 1, levelAt }: Dpm2Options = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      if (to.sigma === 0) {
        x = firstOrderStep(x, denoised, from, to);
      } else {
        const { down, up } = ancestralSplit(from, to, eta);
        const [high, low] = [noiseRatio(from), noiseRatio(down)];
        const ratio = Math.sqrt(high * low);
        const middle = levelAt?.(ratio) ?? levelBetween(from, to, ratio);
        throwIfAborted(signal);
        const halfway = firstOrderStep(x, denoised, from, middle);
        const second = await denoise(halfway, middle);
        const slope = (low - high) / ratio;
        const scale = safeAlpha(to);
        x = mix([scale / safeAlpha(from), x], [(slope * scale) / middle.alpha, halfway], [-slope * scale, second]);
        if (eta > 0) x = mix([1, x], [up * sNoise, noise(from, to)]);
      }
      yield { x, level: to, denoised };
    }
  };
}
