import type { Spacing } from '../create-scheduler.js';
import { cleanLevel } from '../level.js';
import { roundHalfEven } from '../numbers.js';
import { betaQuantiles } from './beta-quantile.js';

/**
 * Table entries at quantiles of a beta distribution (ComfyUI's `beta`, arXiv 2407.12173). Duplicates are dropped, so a run
 * may have fewer steps than requested. For diffusers' version use `sigmaSpacing(betaSigmas)`.
 */
export function comfyBeta(alpha = 0.6, beta = 0.6): Spacing {
  const quantile = betaQuantiles(alpha, beta);
  return ({ trainTimesteps, level }, steps) => {
    const index = (i: number) => roundHalfEven(quantile(1 - i * (1 / steps)) * (trainTimesteps - 1));
    const indices = new Set(Array.from({ length: steps }, (_, i) => index(i)));
    return [...[...indices].map(level), cleanLevel];
  };
}
