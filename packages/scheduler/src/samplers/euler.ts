import { type NoiseLevel, type Prediction, type Sampler, throwIfAborted } from '@sd/core';
import { convertPrediction } from '../forward.js';
import { firstOrderStep, noiseRatio } from '../level.js';
import { mix } from '../vector.js';
import { addChurn, type Churn } from './churn.js';

export interface EulerOptions extends Churn {
  /**
   * Adds churn's noise after the model was called instead of before, as diffusers does, and reads the model's output, of
   * this prediction, at the raised level.
   */
  readonly lateChurn?: Prediction;
}

/** Euler's method in sigma / alpha, with churn if asked (Karras et al., arXiv 2206.00364, algorithm 2 without its second order). */
export function euler({ lateChurn, ...churn }: EulerOptions = {}): Sampler {
  return async function* (denoise, x, levels, { noise, signal }) {
    for (let i = 0; i < levels.length - 1; i++) {
      throwIfAborted(signal);
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const [noisy, raised] = addChurn(x, from, to, levels.length - 1, noise, churn);
      let denoised: Float32Array;
      if (lateChurn === undefined) denoised = await denoise(noisy, raised);
      else denoised = readLate(lateChurn, await denoise(x, from), x, from, noisy, raised);
      x = firstOrderStep(noisy, denoised, raised, to);
      yield { x, level: to, denoised };
    }
  };
}

/** What x0 is at the raised level if the output that gave `denoised` at `from` still holds there, read as diffusers reads it. */
function readLate(
  prediction: Prediction,
  denoised: Float32Array,
  x: Float32Array,
  from: NoiseLevel,
  noisy: Float32Array,
  raised: NoiseLevel,
): Float32Array {
  if (raised === from || prediction === 'sample') return denoised;
  if (prediction === 'v') {
    const square = 1 + noiseRatio(from) ** 2;
    return mix([1, denoised], [1 / (raised.alpha * square), noisy], [-1 / (from.alpha * square), x]);
  }
  const output = convertPrediction(denoised, 'sample', prediction, x, from);
  return convertPrediction(output, prediction, 'sample', noisy, raised);
}
