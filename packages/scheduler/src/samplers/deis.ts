import type { Sampler } from '@sd/core';
import { integrationWeights } from '../interpolation.js';
import { firstOrderStep, logSnr } from '../level.js';
import { type Estimate, estimateOf, exponentialStep, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface DeisOptions {
  /** How many past estimates of the noise are used; 2 if left out. */
  readonly order?: number;
  /** Lowers the order in the last steps. */
  readonly lowerOrderFinal?: boolean;
}

/**
 * Diffusion exponential integrator sampler: multistep with polynomials of the noise in log(rho) = log(sigma / alpha)
 * = -lambda (tAB-DEIS, arXiv 2204.13902, section 3.3). One call a step.
 */
export function deis({ order = 2, lowerOrderFinal = false }: DeisOptions = {}): Sampler {
  return stepwise(() => {
    let past: readonly Estimate[] = [];
    return (x, denoised, from, to, left) => {
      past = remember(estimateOf(x, denoised, from, 'epsilon'), past, order);
      const used = past.slice(0, lowerOrderFinal ? left : order);
      if (used.length === 1 || to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      const weights = integrationWeights(
        used.map(({ lambda }) => lambda),
        used[0].lambda,
        logSnr(to),
        -1,
      );
      return exponentialStep(x, from, to, 'epsilon', used, weights);
    };
  });
}
