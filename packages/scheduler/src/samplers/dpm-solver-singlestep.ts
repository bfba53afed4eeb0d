import type { NoiseLevel, Sampler } from '@sd/core';
import { firstOrderStep } from '../level.js';
import { type DpmSolverOptions, dpmSolverStep } from './dpm-solver.js';
import { type Estimate, estimateOf } from './exponential.js';
import { stepwise } from './stepwise.js';

/**
 * DPM-Solver and DPM-Solver++, singlestep (arXiv 2211.01095, algorithm 1; arXiv 2206.00927): levels are taken in groups of
 * `order`, each group solved anew from its first level with all estimates of the group so far. One call a level, one
 * yield a level; the sample within a group is of lower order. With noise, each sample of a group has its own, as in
 * diffusers, which costs accuracy: DPM++ SDE and 2M SDE do better. The last groups are shorter, so that the last step is of
 * first order.
 */
export function dpmSolverSinglestep(options: DpmSolverOptions & { readonly lowerOrderFinal?: boolean } = {}): Sampler {
  const { order = 2, predict = 'sample', eta = 0, lowerOrderFinal = true } = options;
  return stepwise(({ levels, noise }) => {
    const orders = groupOrders(levels.length - 1, order, lowerOrderFinal);
    let start: { x: Float32Array; from: NoiseLevel };
    let group: Estimate[] = [];
    return (x, denoised, from, to, left) => {
      if (orders.at(-left) === 1) [start, group] = [{ x, from }, []];
      group.push(estimateOf(x, denoised, from, predict));
      const fresh = eta > 0 ? noise(from, to) : undefined;
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      // `midpoint` takes the line to the group's last estimate, `heun` the parabola through all.
      const line = group.length === 3 && options.solverType !== 'heun';
      const used = line ? [group[0], group[2]] : group;
      return dpmSolverStep(start.x, start.from, to, used, line ? { ...options, solverType: 'heun' } : options, fresh);
    };
  });
}

/** Which order each step takes: 1, 2, ... `order`, again and again; the rest at the end in shorter groups. */
function groupOrders(steps: number, order: number, lowerOrderFinal: boolean): number[] {
  const orders = Array.from({ length: steps }, (_, i) => (i % order) + 1);
  if (!lowerOrderFinal) return orders;
  if (order === 3 && steps % 3 === 0) orders.splice(-3, 3, 1, 2, 1);
  if (order === 2 && steps % 2 === 0) orders.splice(-1, 1, 1);
  return orders;
}
