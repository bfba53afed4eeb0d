import { type LevelAt, levelBetween, noiseRatio, safeAlpha } from '../level.js';
import { mix } from '../vector.js';
import type { BeforeStep } from './stepwise.js';

export interface Churn {
  /** Amount of noise added over the whole run; with 0, the default, none is drawn. */
  readonly sChurn?: number;
  /** Noise is added only while sigma / alpha is at least this ... */
  readonly sTmin?: number;
  /** ... and at most this. */
  readonly sTmax?: number;
  /** Standard deviation of that noise. */
  readonly sNoise?: number;
  /** The noise schedule's `levelAt`. Without it, churned levels are estimated from their neighbours. */
  readonly levelAt?: LevelAt;
}

/**
 * Raises the noise of a sample before a step (arXiv 2206.00364, algorithm 2, lines 4 to 6). If there is none to add, draws
 * nothing and returns the same sample and level.
 */
export function churned({ sChurn = 0, sTmin = 0, sTmax = Infinity, sNoise = 1, levelAt }: Churn): BeforeStep {
  return (x, from, to, { levels, noise }) => {
    const ratio = noiseRatio(from);
    const gamma = Math.min(sChurn / (levels.length - 1), Math.SQRT2 - 1);
    if (gamma <= 0 || ratio < sTmin || ratio > sTmax) return [x, from];
    const raised = ratio * (1 + gamma);
    const level = levelAt?.(raised) ?? levelBetween(from, to, raised);
    const added = level.alpha * sNoise * Math.sqrt(raised ** 2 - ratio ** 2);
    return [mix([level.alpha / safeAlpha(from), x], [added, noise(from, level)]), level];
  };
}
