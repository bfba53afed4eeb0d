import { type Prediction, type Sampler, throwIfAborted } from '@sd/core';
import { firstOrderStep, type LevelAt, levelBetween, noiseRatio } from '../level.js';
import { mix } from '../vector.js';

export interface Churn {
  /** Noise added over the whole run; 0, the default, adds and draws none. */
  readonly sChurn?: number;
  /** Noise is added only while sigma / alpha lies from here ... */
  readonly sTmin?: number;
  /** ... to here. */
  readonly sTmax?: number;
  /** Standard deviation of that noise. */
  readonly sNoise?: number;
}

export interface EulerOptions extends Churn {
  /** The noise schedule's; churned levels are estimated from their neighbours without it. */
  readonly levelAt?: LevelAt;
  /**
   * Adds noise after the model was called instead of before, as diffusers does, and reads the model's output, of this
   * prediction, at the raised level.
   */
  readonly lateChurn?: Prediction;
}

/** By which factor churn raises the noise ratio of a step (arXiv 2206.00364, algorithm 2), less one. */
export function churnFactor({ sChurn = 0, sTmin = 0, sTmax = Infinity }: Churn, ratio: number, steps: number): number {
  return ratio >= sTmin && ratio <= sTmax ? Math.min(sChurn / steps, Math.SQRT2 - 1) : 0;
}

/** Euler's method in sigma / alpha, with churn if asked (Karras et al., arXiv 2206.00364, algorithm 2 without line 7). */
export function euler(options: EulerOptions = {}): Sampler {
  const { sNoise = 1, lateChurn, levelAt } = options;
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      let from = levels[i]!;
      const to = levels[i + 1]!;
      const sigma = noiseRatio(from);
      const gamma = churnFactor(options, sigma, levels.length - 1);
      let denoised = lateChurn === undefined && gamma > 0 ? x : await denoise(x, from);
      if (gamma > 0) {
        const sigmaHat = sigma * (1 + gamma);
        const raised = levelAt?.(sigmaHat) ?? levelBetween(from, to, sigmaHat);
        const scale = raised.alpha / Math.max(from.alpha, from.sigma / sigma);
        const added = raised.alpha * sNoise * Math.sqrt(sigmaHat ** 2 - sigma ** 2);
        const before = x;
        const fresh = noise(from, to);
        x = mix([scale, before], [added, fresh]);
        if (lateChurn === undefined) denoised = await denoise(x, raised);
        else if (lateChurn === 'epsilon') {
          denoised = mix([1 + gamma, denoised], [-gamma / from.alpha, before], [added / raised.alpha, fresh]);
        } else if (lateChurn === 'v') {
          denoised = mix([1, denoised], [added / raised.alpha / (1 + sigma ** 2), fresh]);
        }
        from = raised;
      }
      x = firstOrderStep(x, denoised, from, to);
      yield { x, level: to, denoised };
    }
  };
}
