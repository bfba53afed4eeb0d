import type { NoiseLevel, Sampler } from '@sd/core';
import { integrationWeights } from '../interpolation.js';
import { firstOrderStep, logSnr } from '../level.js';
import { type Estimate, estimateOf, exponentialStep, type Predicted, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface SaSolverOptions {
  /** 1 to 4; 2 if left out. */
  readonly predictorOrder?: number;
  /** 1 to 4; 2 if left out. */
  readonly correctorOrder?: number;
  /** How much noise a step from this level adds: 0 none, 1 as much as the SDE's. 1 from timestep 200 to 800 if left out. */
  readonly tau?: (level: NoiseLevel) => number;
  /** What is taken as a polynomial; x0 if left out. */
  readonly predict?: Predicted;
  /** Lowers the order in the last steps; on if left out. */
  readonly lowerOrderFinal?: boolean;
}

/**
 * Stochastic Adams solver (arXiv 2309.05019, algorithm 1): an Adams-Bashforth predictor, and an Adams-Moulton corrector
 * that uses the same noise. One call and one draw of noise a step, also where tau is 0.
 */
export function saSolver(options: SaSolverOptions = {}): Sampler {
  const { predictorOrder = 2, correctorOrder = 2, predict = 'sample', lowerOrderFinal = true } = options;
  const { tau = ({ timestep }: NoiseLevel) => (timestep >= 200 && timestep <= 800 ? 1 : 0) } = options;
  return stepwise(({ noise }) => {
    let past: readonly Estimate[] = [];
    let before: { x: Float32Array; from: NoiseLevel; noise: Float32Array } | undefined;
    return (x, denoised, from, to, steps) => {
      const left = lowerOrderFinal ? steps : Infinity;
      const at = estimateOf(x, denoised, from, predict);
      if (before !== undefined && before.from.alpha > 0 && past[0].lambda !== at.lambda) {
        const nodes = [at, ...past].slice(0, Math.min(correctorOrder, left + 1));
        x = adamsStep(before.x, before.from, from, nodes, tau(before.from), before.noise, predict);
      }
      past = remember(at, past, Math.max(predictorOrder, correctorOrder - 1));
      before = { x, from, noise: noise(from, to) };
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      return adamsStep(x, from, to, past.slice(0, Math.min(predictorOrder, left)), tau(from), before.noise, predict);
    };
  });
}

/** One step of the SDE with the polynomial through `nodes`, newest first; the first may lie at `to` itself (the corrector). */
function adamsStep(
  x: Float32Array,
  from: NoiseLevel,
  to: NoiseLevel,
  nodes: readonly Estimate[],
  tau: number,
  noise: Float32Array,
  predict: Predicted,
): Float32Array {
  const [start, end] = [logSnr(from), logSnr(to)];
  const h = end - start;
  if (h === 0) return x;
  const square = tau * tau;
  const data = predict === 'sample';
  const rate = data ? 1 + square : -1;
  const weights = integrationWeights(
    nodes.map(({ lambda }) => lambda),
    start,
    end,
    rate,
  );
  if (data && nodes.length === 2) {
    // The authors' change to the second order, of the method's own error, for the better at few steps.
    const [first, second] = [nodes[0].lambda, nodes[1].lambda];
    const exact = (h * rate + Math.expm1(-rate * h)) / rate ** 2;
    const shift = (h * h) / 2 - exact;
    weights[0] += shift / (first - second);
    weights[1] -= shift / (first - second);
  }
  return exponentialStep(x, from, to, predict, nodes, weights, square, noise);
}
