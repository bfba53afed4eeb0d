import { linspace } from '../float32.js';
import { betaQuantile } from './beta-quantile.js';

/** Noise ratios from `max` down to `min`, evenly spaced in their rho-th roots (Karras et al., arXiv 2206.00364, eq. 5). */
export function karrasSigmas(steps: number, min: number, max: number, rho = 7): number[] {
  return linspace(max ** (1 / rho), min ** (1 / rho), steps).map((root) => root ** rho);
}

/** Noise ratios from `max` down to `min` in equal factors: even in log(sigma / alpha). */
export function exponentialSigmas(steps: number, min: number, max: number): number[] {
  return linspace(Math.log(max), Math.log(min), steps).map(Math.exp);
}

/** Noise ratios from `max` down to `min` at quantiles of a beta distribution, as diffusers does (arXiv 2407.12173). */
export function betaSigmas(steps: number, min: number, max: number, alpha = 0.6, beta = 0.6): number[] {
  return linspace(1, 0, steps).map((p) => min + betaQuantile(p, alpha, beta) * (max - min));
}
