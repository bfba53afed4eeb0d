import type { NoiseLevel, Sampler } from '@sd/core';
import { firstOrderStep } from '../level.js';
import { type DpmSolverOptions, dpmSolverStep } from './dpm-solver.js';
import { type Estimate, estimateOf } from './exponential.js';
import { stepwise } from './stepwise.js';

/**
 * DPM-Solver and DPM-Solver++, singlestep (arXiv 2211.01095, algorithm 1; arXiv 2206.00927). Levels are taken in groups of
 * `order`; each step solves from the first level of its group with all of the group's estimates so far. One call and one
 * yield per level; samples inside a group are of lower order. The last groups are shorter, so that the last step is of
 * first order. With noise, each sample of a group has its own, as in diffusers, which costs accuracy: DPM++ SDE and 2M SDE
 * do better.
 */
export function dpmSolverSinglestep(options: DpmSolverOptions & { readonly lowerOrderFinal?: boolean } = {}): Sampler {
  const { order = 2, predict = 'sample', eta = 0, lowerOrderFinal = true } = options;
  return stepwise(({ levels, noise }) => {
    const orders = groupOrders(levels.length - 1, order, lowerOrderFinal);
    let start: { x: Float32Array; from: NoiseLevel };
    let group: Estimate[] = [];
    return (x, denoised, from, to, stepsLeft) => {
      if (orders.at(-stepsLeft) === 1) [start, group] = [{ x, from }, []];
      group.push(estimateOf(x, denoised, from, predict));
      const fresh = eta > 0 ? noise(from, to) : undefined;
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      // At third order, `midpoint` uses the line through the first and last estimate, `heun` the parabola through all.
      const line = group.length === 3 && options.solverType !== 'heun';
      const used = line ? [group[0], group[2]] : group;
      return dpmSolverStep(start.x, start.from, to, used, line ? { ...options, solverType: 'heun' } : options, fresh);
    };
  });
}

/** The order of each step: 1, 2, ... `order`, repeatedly, with shorter groups at the end. */
function groupOrders(steps: number, order: number, lowerOrderFinal: boolean): number[] {
  const orders = Array.from({ length: steps }, (_, i) => (i % order) + 1);
  if (!lowerOrderFinal) return orders;
  if (order === 3 && steps % 3 === 0) orders.splice(-3, 3, 1, 2, 1);
  if (order === 2 && steps % 2 === 0) orders.splice(-1, 1, 1);
  return orders;
}
