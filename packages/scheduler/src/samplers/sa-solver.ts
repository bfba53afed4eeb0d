import type { NoiseLevel, Sampler } from '@sd/core';
import { integrationWeights } from '../interpolation.js';
import { firstOrderStep, logSnr } from '../level.js';
import { type Estimate, estimateOf, exponentialStep, type Predicted, remember } from './exponential.js';
import { stepwise } from './stepwise.js';

export interface SaSolverOptions {
  /** 1 to 4; 2 by default. */
  readonly predictorOrder?: number;
  /** 1 to 4; 2 by default. */
  readonly correctorOrder?: number;
  /** Amount of noise in a step from this level: 0 for the ODE, 1 for the SDE. By default 1 from timestep 200 to 800, else 0. */
  readonly tau?: (level: NoiseLevel) => number;
  /** The quantity approximated by a polynomial; x0 by default. */
  readonly predict?: Predicted;
  /** True, the default, to lower the order in the last steps. */
  readonly lowerOrderFinal?: boolean;
}

/**
 * Stochastic Adams solver (arXiv 2309.05019, algorithm 1): an Adams-Bashforth predictor, and an Adams-Moulton corrector
 * with the same noise. One call and one draw of noise per step, even if tau is 0.
 */
export function saSolver(options: SaSolverOptions = {}): Sampler {
  const { predictorOrder = 2, correctorOrder = 2, predict = 'sample', lowerOrderFinal = true } = options;
  const { tau = ({ timestep }: NoiseLevel) => (timestep >= 200 && timestep <= 800 ? 1 : 0) } = options;
  return stepwise(({ noise }) => {
    let past: readonly Estimate[] = [];
    let previous: { x: Float32Array; from: NoiseLevel; noise: Float32Array } | undefined;
    return (x, denoised, from, to, stepsLeft) => {
      const orderLimit = lowerOrderFinal ? stepsLeft : Infinity;
      const estimate = estimateOf(x, denoised, from, predict);
      if (previous !== undefined && previous.from.alpha > 0 && past[0].lambda !== estimate.lambda) {
        const nodes = [estimate, ...past].slice(0, Math.min(correctorOrder, orderLimit + 1));
        x = adamsStep(previous.x, previous.from, from, nodes, tau(previous.from), previous.noise, predict);
      }
      past = remember(estimate, past, Math.max(predictorOrder, correctorOrder - 1));
      previous = { x, from, noise: noise(from, to) };
      if (to.sigma === 0) return firstOrderStep(x, denoised, from, to);
      return adamsStep(
        x,
        from,
        to,
        past.slice(0, Math.min(predictorOrder, orderLimit)),
        tau(from),
        previous.noise,
        predict,
      );
    };
  });
}

/** One step of the SDE with the polynomial through `nodes`, newest first. In the corrector the first is at `to` itself. */
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
    // The authors' modification of the second order: within the method's error, and better at few steps.
    const [first, second] = [nodes[0].lambda, nodes[1].lambda];
    const exact = (h * rate + Math.expm1(-rate * h)) / rate ** 2;
    const shift = (h * h) / 2 - exact;
    weights[0] += shift / (first - second);
    weights[1] -= shift / (first - second);
  }
  return exponentialStep(x, from, to, predict, nodes, weights, square, noise);
}
