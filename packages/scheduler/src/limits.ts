import { valueAt } from './numbers.js';

/** Bounds an estimate of x0. */
export type Limit = (x0: Float32Array) => Float32Array;

/** Cuts values off at -range and range. */
export function clipSample(range = 1): Limit {
  return (x0) => x0.map((value) => Math.min(Math.max(value, -range), range));
}

export interface DynamicThreshold {
  /** Quantile of |x0| that counts as its size; 0.995 if left out. */
  readonly ratio?: number;
  /** Upper bound of that size; 1 if left out. */
  readonly max?: number;
  /** How many pictures of equal size the array holds, each bounded by itself; 1 if left out. */
  readonly images?: number;
}

/**
 * Dynamic thresholding (Imagen, arXiv 2205.11487, section 2.3), for pixels: |x0|'s quantile, at least 1 and at most
 * `max`, cuts it off and is divided out.
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
