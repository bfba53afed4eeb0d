import { type Sampler, throwIfAborted } from '@sd/core';
import { integrationWeights } from '../interpolation.js';
import { firstOrderStep, logSnr, safeAlpha } from '../level.js';
import { mix, type Term } from '../vector.js';

export interface DeisOptions {
  /** How many past estimates of the noise are used; 2 if left out. */
  readonly order?: number;
  /** Lowers the order in the last steps. */
  readonly lowerOrderFinal?: boolean;
}

/**
 * Diffusion exponential integrator sampler: multistep with polynomials in log(rho), rho = sigma / alpha (tAB-DEIS,
 * arXiv 2204.13902, section 3.3).
 */
export function deis({ order = 2, lowerOrderFinal = false }: DeisOptions = {}): Sampler {
  return async function* (denoise, x, levels, { signal }) {
    const steps = levels.length - 1;
    const past: { logRho: number; epsilon: Float32Array }[] = [];
    for (let i = 0; i < steps; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      const logRho = -logSnr(from);
      if (logRho !== past[0]?.logRho) {
        past.unshift({ logRho, epsilon: mix([1 / from.sigma, x], [-from.alpha / from.sigma, denoised]) });
      }
      past.splice(order);
      const used = past.slice(0, lowerOrderFinal ? steps - i : order);
      if (used.length === 1 || to.sigma === 0) {
        x = firstOrderStep(x, denoised, from, to);
      } else {
        const weights = integrationWeights(
          used.map((entry) => entry.logRho),
          logRho,
          -logSnr(to),
          1,
        );
        const terms = used.map(({ epsilon }, k): Term => [to.sigma * weights[k]!, epsilon]);
        x = mix([to.alpha / safeAlpha(from), x], ...terms);
      }
      yield { x, level: to, denoised };
    }
  };
}
