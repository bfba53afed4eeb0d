import type { NoiseLevel, NoiseSource } from '@sd/core';
import { type LevelAt, levelBetween, noiseRatio, safeAlpha } from '../level.js';
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
  /** The noise schedule's; churned levels are estimated from their neighbours without it. */
  readonly levelAt?: LevelAt;
}

/**
 * Raises the noise of a sample before a step (arXiv 2206.00364, algorithm 2, lines 4 to 6), and says at which level it
 * then is: `from` itself where no noise is to be added, and none is drawn.
 */
export function addChurn(
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  steps: number,
  noise: NoiseSource,
  { sChurn = 0, sTmin = 0, sTmax = Infinity, sNoise = 1, levelAt }: Churn,
): [x: Float32Array, level: NoiseLevel] {
  const ratio = noiseRatio(from);
  const gamma = ratio >= sTmin && ratio <= sTmax ? Math.min(sChurn / steps, Math.SQRT2 - 1) : 0;
  if (gamma <= 0) return [x, from];
  const raised = ratio * (1 + gamma);
  const level = levelAt?.(raised) ?? levelBetween(from, to, raised);
  const added = level.alpha * sNoise * Math.sqrt(raised ** 2 - ratio ** 2);
  return [mix([level.alpha / safeAlpha(from), x], [added, noise(from, level)]), level];
}
