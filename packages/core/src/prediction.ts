import type { NoiseLevel, Prediction } from './sampling.js';

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
  if (level.sigma === 0 && to === 'sample') return x.map((value) => value / level.alpha);
  const [x1, y1] = weights(from, level);
  const [x2, y2] = weights(to, level);
  const gain = y2 / y1;
  const shift = (x2 - gain * x1) / level.sigma;
  return output.map((value, i) => gain * value + shift * x[i]);
}
