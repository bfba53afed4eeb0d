import { linspace } from '../numbers.js';
import { betaQuantiles } from './beta-quantile.js';

/** Spreads noise ratios, sigma / alpha, from `max` down to `min`, inclusive. */
export type SigmaSpread = (steps: number, min: number, max: number) => number[];

/** Noise ratios with evenly spaced rho-th roots (Karras et al., arXiv 2206.00364, eq. 5). */
export function karrasSigmas(steps: number, min: number, max: number, rho = 7): number[] {
  const [high, low] = [max ** (1 / rho), min ** (1 / rho)];
  return linspace(0, 1, steps).map((ramp) => (high + ramp * (low - high)) ** rho);
}

/**
 * Noise ratios in geometric progression. Since log(sigma / alpha) is -lambda, this is also DPM-Solver's uniform lambda
 * spacing (arXiv 2206.00927, section 3.4), diffusers' `use_lu_lambdas`.
 */
export function exponentialSigmas(steps: number, min: number, max: number): number[] {
  return linspace(Math.log(max), Math.log(min), steps).map(Math.exp);
}

/** Noise ratios with logarithms that follow the rho-th power of the step (k-diffusion's `get_sigmas_polyexponential`). */
export function polyexponentialSigmas(steps: number, min: number, max: number, rho = 1): number[] {
  return linspace(1, 0, steps).map((ramp) => min * (max / min) ** (ramp ** rho));
}

/** Noise ratios at quantiles of a beta distribution, as in diffusers (arXiv 2407.12173). */
export function betaSigmas(steps: number, min: number, max: number, alpha = 0.6, beta = 0.6): number[] {
  const quantile = betaQuantiles(alpha, beta);
  return linspace(0, 1, steps).map((ramp) => min + quantile(1 - ramp) * (max - min));
}
