import { linspace, roundHalfEven } from '../numbers.js';

/** How timesteps are spread over the training steps (arXiv 2305.08891, table 2). */
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';

/**
 * Timesteps from most noise to least, whole numbers: `leading` every `trainTimesteps / steps`-th from `offset` on (never
 * the last, noisiest one), `trailing` the same counted from the noisiest, `linspace` evenly with both ends.
 */
export function spacedTimesteps(spacing: TimestepSpacing, trainTimesteps: number, steps: number, offset = 0): number[] {
  const fractional = fractionalTimesteps(spacing, trainTimesteps, steps, offset);
  return fractional.map((t) => Math.min(roundHalfEven(t), trainTimesteps - 1));
}

/** As `spacedTimesteps`, but `linspace` is not rounded: diffusers' sigma family interpolates instead. */
export function fractionalTimesteps(
  spacing: TimestepSpacing,
  trainTimesteps: number,
  steps: number,
  offset = 0,
): number[] {
  switch (spacing) {
    case 'linspace':
      return linspace(0, trainTimesteps - 1, steps).reverse();
    case 'leading':
      return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * Math.floor(trainTimesteps / steps) + offset);
    case 'trailing':
      return Array.from({ length: steps }, (_, i) => roundHalfEven(trainTimesteps - (i * trainTimesteps) / steps) - 1);
  }
}
