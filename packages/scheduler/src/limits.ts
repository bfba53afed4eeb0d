import { valueAt } from './numbers.js';

/** Bounds an estimate of x0. */
export type Limit = (x0: Float32Array) => Float32Array;

/** Clamps values to [-range, range]. */
export function clipSample(range = 1): Limit {
  return (x0) => x0.map((value) => Math.min(Math.max(value, -range), range));
}

export interface DynamicThreshold {
  /** The quantile of |x0| used as the threshold; 0.995 by default. */
  readonly ratio?: number;
  /** Upper bound of the threshold; 1 by default. */
  readonly max?: number;
  /** Number of images of equal size in the array, each bounded separately; 1 by default. */
  readonly images?: number;
}

/**
 * Dynamic thresholding (Imagen, arXiv 2205.11487, section 2.3), for pixels: clamps x0 to a quantile of |x0|, at least 1 and
 * at most `max`, and divides by it.
 */
export function dynamicThreshold({ ratio = 0.995, max = 1, images = 1 }: DynamicThreshold = {}): Limit {
  return (x0) => {
    const out = new Float32Array(x0.length);
    const size = x0.length / images;
    for (let image = 0; image < images; image++) {
      const values = x0.subarray(image * size, (image + 1) * size);
      const bound = Math.min(Math.max(valueAt(values.map(Math.abs).sort(), ratio * (size - 1)), 1), max);
      out.set(
        values.map((value) => Math.min(Math.max(value, -bound), bound) / bound),
        image * size,
      );
    }
    return out;
  };
}
