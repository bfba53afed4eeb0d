import { convertPrediction, type Prediction, type Sampler } from '@sd/core';
import { firstOrderStep } from '../level.js';
import { mix } from '../vector.js';
import { type Churn, churned } from './churn.js';
import { stepwise } from './stepwise.js';

export interface EulerOptions extends Churn {
  /**
   * Adds the churn noise after the model call instead of before it, as diffusers does, and interprets the model's output,
   * of this prediction type, at the raised level.
   */
  readonly lateChurn?: Prediction;
}

/** Euler's method in sigma / alpha, with optional churn (Karras et al., arXiv 2206.00364, algorithm 2 without the second-order correction). */
export function euler({ lateChurn, ...churn }: EulerOptions = {}): Sampler {
  const raise = churned(churn);
  if (lateChurn === undefined) return stepwise(() => firstOrderStep, raise);
  return stepwise((run) => (x, denoised, from, to) => {
    const [noisy, raised] = raise(x, from, to, run);
    if (raised === from) return firstOrderStep(x, denoised, from, to);
    // diffusers interprets v as if the noise had not been raised.
    const level = lateChurn === 'v' ? from : raised;
    const output = convertPrediction(denoised, 'sample', lateChurn, x, from);
    const scaled = mix([level.alpha / raised.alpha, noisy]);
    return firstOrderStep(noisy, convertPrediction(output, lateChurn, 'sample', scaled, level), raised, to);
  });
}
