import type { NoiseLevel, Prediction } from './sampling.js';

/** The weights of x and x0 in sigma times a model's output. */
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
 * Converts a prediction for the noisy sample `x` to another type: epsilon, v = alpha * epsilon - sigma * x0 (arXiv
 * 2202.00512, appendix D), x0 (`'sample'`), flow = epsilon - x0 (arXiv 2210.02747). `output` and `x` have the same length.
 * The result is not finite where the level does not determine it: x0 from epsilon at alpha 0, epsilon from x0 at sigma 0.
 */
export function convertPrediction(
  output: Float32Array,
  from: Prediction,
  to: Prediction,
  x: Float32Array,
  level: NoiseLevel,
): Float32Array {
  if (from === to) return output;
  if (level.sigma === 0 && to === 'sample') return x.map((value) => value / level.alpha);
  const [x1, y1] = weights(from, level);
  const [x2, y2] = weights(to, level);
  const gain = y2 / y1;
  const shift = (x2 - gain * x1) / level.sigma;
  return output.map((value, i) => gain * value + shift * x[i]);
}
