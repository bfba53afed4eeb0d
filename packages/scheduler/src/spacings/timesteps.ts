import { arangeDown, linspace, roundHalfEven } from '../numbers.js';

/** How timesteps are spread over the training steps (arXiv 2305.08891, table 2). */
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';

/**
 * Integer timesteps from most noise to least: with `leading`, multiples of `trainTimesteps / steps` plus `offset` (never the
 * noisiest); with `trailing`, the same stride counted from the noisiest; with `linspace`, evenly spaced including both ends.
 */
export function spacedTimesteps(spacing: TimestepSpacing, trainTimesteps: number, steps: number, offset = 0): number[] {
  const fractional = fractionalTimesteps(spacing, trainTimesteps, steps, offset);
  return fractional.map((t) => Math.min(roundHalfEven(t), trainTimesteps - 1));
}

/** Like `spacedTimesteps`, but without rounding for `linspace`: diffusers' sigma-based classes interpolate instead. */
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
      return trailingTimesteps(trainTimesteps, trainTimesteps / steps);
  }
}

/**
 * Integer timesteps from `count - 1` down, `stride` apart. Where diffusers would add -1 (at 61, 103, 121 and other numbers of
 * steps, since NumPy's rounding errors leave one number just above 0), the timesteps end at the one before.
 */
export function trailingTimesteps(count: number, stride: number): number[] {
  return arangeDown(count, stride)
    .map((end) => roundHalfEven(end) - 1)
    .filter((timestep) => timestep >= 0);
}
