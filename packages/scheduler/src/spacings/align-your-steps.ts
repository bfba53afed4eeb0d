import type { Spacing } from '../create-scheduler.js';
import { cleanLevel } from '../level.js';
import { linspace, valueAt } from '../numbers.js';

/** Noise ratios optimized for ten steps of Stable Diffusion 1 and XL (Align Your Steps, arXiv 2404.14507). */
const tables = {
  sd1: [14.6146, 6.4746, 3.8637, 2.6946, 1.8842, 1.3944, 0.9643, 0.6524, 0.3977, 0.1515, 0.0292],
  sdxl: [14.6146, 6.3184, 3.7682, 2.1811, 1.3405, 0.8621, 0.5551, 0.3799, 0.2332, 0.1114, 0.0292],
} as const;

/** Align Your Steps: a model's table for ten steps, interpolated logarithmically for other numbers of steps. */
export function alignYourSteps(model: keyof typeof tables): Spacing {
  const logs = tables[model].map(Math.log);
  return ({ levelAt }, steps) => {
    const ratios = linspace(0, 10, steps + 1).map((index) => Math.exp(valueAt(logs, index)));
    return [...ratios.slice(0, -1).map(levelAt), cleanLevel];
  };
}
