import { type NoiseLevel, type Sampler, throwIfAborted } from '@sd/core';
import { firstOrderStep } from '../level.js';
import { type DpmSolverOptions, dpmSolverStep, type Estimate, estimateOf } from './dpm-solver.js';

/**
 * DPM-Solver and DPM-Solver++, singlestep (arXiv 2211.01095, algorithm 1; arXiv 2206.00927): levels are taken in groups of
 * `order`, each group solved anew from its first level with all estimates of the group so far. One call a level, one
 * yield a level; the sample within a group is of lower order. The last groups are shorter, so that the last step is of
 * first order.
 */
export function dpmSolverSinglestep(options: DpmSolverOptions & { readonly lowerOrderFinal?: boolean } = {}): Sampler {
  const { order = 2, predict = 'sample', eta = 0, lowerOrderFinal = true } = options;
  return async function* (denoise, x, levels, { noise, signal }) {
    const orders = groupOrders(levels.length - 1, order, lowerOrderFinal);
    let start = x;
    let base: NoiseLevel = levels[0]!;
    let estimates: Estimate[] = [];
    for (const [i, current] of orders.entries()) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const denoised = await denoise(x, from);
      const estimate = estimateOf(x, denoised, from, predict);
      if (current === 1) [start, base, estimates] = [x, from, []];
      estimates.push(estimate);
      const fresh = eta > 0 ? noise(from, to) : undefined;
      if (to.sigma === 0) x = firstOrderStep(x, denoised, from, to);
      else x = dpmSolverStep(start, base, to, estimates[0]!, ...othersOf(estimates, options), fresh);
      yield { x, level: to, denoised };
    }
  };
}

/** With `midpoint`, the third order takes the line to the group's last estimate; with `heun`, the parabola through all. */
function othersOf([, second, third]: readonly Estimate[], options: DpmSolverOptions): [Estimate[], DpmSolverOptions] {
  if (second === undefined) return [[], options];
  if (third === undefined) return [[second], options];
  return options.solverType === 'heun' ? [[second, third], options] : [[third], { ...options, solverType: 'heun' }];
}

/** Which order each step takes: 1, 2, ... `order`, again and again; the rest at the end in shorter groups. */
function groupOrders(steps: number, order: number, lowerOrderFinal: boolean): number[] {
  const orders = Array.from({ length: steps }, (_, i) => (i % order) + 1);
  if (!lowerOrderFinal) return orders;
  if (order === 3 && steps % 3 === 0) orders.splice(-3, 3, 1, 2, 1);
  if (order === 2 && steps % 2 === 0) orders.splice(-1, 1, 1);
  return orders;
}
