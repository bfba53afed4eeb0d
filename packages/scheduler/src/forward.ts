import type { NoiseLevel } from '@sd/core';
import { mix } from './vector.js';

/** The forward process, `alpha * x0 + sigma * noise`, for arrays of the same length (arXiv 2006.11239, eq. 4). */
export function addNoise(x0: Float32Array, noise: Float32Array, level: NoiseLevel): Float32Array {
  return mix([level.alpha, x0], [level.sigma, noise]);
}

/**
 * x0 from the output of a model with EDM's preconditioning (arXiv 2206.00364, table 1). For EDM's sigma s, the level has
 * alpha = 1 / sqrt(s² + sigmaData²) and sigma = s * alpha. In diffusers, `v` has the opposite sign of `epsilon`.
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
