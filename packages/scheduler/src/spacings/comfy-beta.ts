import type { Spacing } from '../create-scheduler.js';
import { cleanLevel } from '../level.js';
import { roundHalfEven } from '../numbers.js';
import { betaQuantile } from './beta-quantile.js';

/**
 * Entries of the table at quantiles of a beta distribution (ComfyUI's `beta`, arXiv 2407.12173). Entries that come twice
 * are taken once, so a run may have fewer steps than asked for. diffusers' is another: `sigmaSpacing(betaSigmas)`.
 */
export function comfyBeta(alpha = 0.6, beta = 0.6): Spacing {
  return ({ trainTimesteps, level }, steps) => {
    const index = (i: number) => roundHalfEven(betaQuantile(1 - i / steps, alpha, beta) * (trainTimesteps - 1));
    const indices = new Set(Array.from({ length: steps }, (_, i) => index(i)));
    return [...[...indices].map(level), cleanLevel];
  };
}
