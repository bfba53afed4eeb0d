import type { NoiseLevel, Prediction } from '@sd/core';
import { mix } from './vector.js';

/** The forward process: `alpha * x0 + sigma * noise`, arrays of one length (arXiv 2006.11239, eq. 4). */
export function addNoise(x0: Float32Array, noise: Float32Array, level: NoiseLevel): Float32Array {
  return mix([level.alpha, x0], [level.sigma, noise]);
}

/** What sigma times a model's output is, as weights of x and x0. */
function weights(prediction: Prediction, { alpha, sigma }: NoiseLevel): [x: number, x0: number] {
  switch (prediction) {
    case 'epsilon':
      return [1, -alpha];
    case 'v':
      return [alpha, -(alpha * alpha + sigma * sigma)];
    case 'sample':
      return [0, sigma];
    case 'flow':
      return [1, -alpha - sigma];
  }
}

/**
 * Reads one prediction as another: epsilon, v = alpha * epsilon - sigma * x0 (arXiv 2202.00512, appendix D), x0
 * (`'sample'`), flow = epsilon - x0 (arXiv 2210.02747), given the noisy `x` that the prediction was made for.
 * Arrays of one length. Where the level does not determine the answer (x0 from epsilon when alpha is 0, epsilon from
 * x0 when sigma is 0) values are not finite.
 */
export function convertPrediction(
  output: Float32Array,
  from: Prediction,
  to: Prediction,
  x: Float32Array,
  level: NoiseLevel,
): Float32Array {
  if (from === to) return output;
  if (level.sigma === 0 && to === 'sample') return mix([1 / level.alpha, x]);
  const [x1, y1] = weights(from, level);
  const [x2, y2] = weights(to, level);
  const gain = y2 / y1;
  return mix([gain, output], [(x2 - gain * x1) / level.sigma, x]);
}

/**
 * x0 from the output of a model with EDM's preconditioning (arXiv 2206.00364, table 1), at levels with alpha = 1 /
 * sqrt(sigma² + sigmaData²), sigma times alpha. diffusers tells two signs apart: `v` is the negative of `epsilon`.
 */
export function edmDenoised(
  output: Float32Array,
  x: Float32Array,
  level: NoiseLevel,
  sign: 'epsilon' | 'v',
  sigmaData = 0.5,
): Float32Array {
  const gain = level.sigma * sigmaData * (sign === 'v' ? -1 : 1);
  return mix([level.alpha * sigmaData ** 2, x], [gain, output]);
}
