import { convertPrediction, type Prediction, type Sampler } from '@sd/core';
import { firstOrderStep } from '../level.js';
import { mix } from '../vector.js';
import { type Churn, churned } from './churn.js';
import { stepwise } from './stepwise.js';

export interface EulerOptions extends Churn {
  /**
   * Adds churn's noise after the model was called instead of before, as diffusers does, and reads the model's output, of
   * this prediction, at the raised level.
   */
  readonly lateChurn?: Prediction;
}

/** Euler's method in sigma / alpha, with churn if asked (Karras et al., arXiv 2206.00364, algorithm 2 without its second order). */
export function euler({ lateChurn, ...churn }: EulerOptions = {}): Sampler {
  const raise = churned(churn);
  if (lateChurn === undefined) return stepwise(() => firstOrderStep, raise);
  return stepwise((run) => (x, denoised, from, to) => {
    const [noisy, raised] = raise(x, from, to, run);
    if (raised === from) return firstOrderStep(x, denoised, from, to);
    // diffusers reads v as if the noise had not been raised.
    const level = lateChurn === 'v' ? from : raised;
    const output = convertPrediction(denoised, 'sample', lateChurn, x, from);
    const scaled = mix([level.alpha / raised.alpha, noisy]);
    return firstOrderStep(noisy, convertPrediction(output, lateChurn, 'sample', scaled, level), raised, to);
  });
}
