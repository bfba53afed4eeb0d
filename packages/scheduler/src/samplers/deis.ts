import type { Sampler } from '@sd/core';
import { integrationWeights } from '../interpolation.js';
import { firstOrderStep, logSnr } from '../level.js';
import { type Estimate, estimateOf, exponentialStep, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface DeisOptions {
  /** Number of estimates of the noise to use; 2 by default. */
  readonly order?: number;
  /** True to lower the order in the last steps; false by default. */
  readonly lowerOrderFinal?: boolean;
}

/**
 * Diffusion exponential integrator sampler: multistep, with polynomials of epsilon in log(rho) = log(sigma / alpha) =
 * -lambda (tAB-DEIS, arXiv 2204.13902, section 3.3). One call per step.
 */
export function deis({ order = 2, lowerOrderFinal = false }: DeisOptions = {}): Sampler {
  return stepwise(() => {
    let past: readonly Estimate[] = [];
    return (x, denoised, from, to, stepsLeft) => {
      past = remember(estimateOf(x, denoised, from, 'epsilon'), past, order);
      const used = past.slice(0, lowerOrderFinal ? stepsLeft : order);
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
