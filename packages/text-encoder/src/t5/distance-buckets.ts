export interface DistanceBucketsOptions {
  readonly distanceBuckets: number;
  readonly maxDistance: number;
}

/**
 * The bucket of each distance between two tokens, from -maxDistance to maxDistance: each small distance has its own bucket,
 * larger ones share buckets by their logarithm, in float32 as transformers computes it.
 * @see arXiv 1910.10683, 2.1; transformers' `T5Attention._relative_position_bucket`
 */
export function distanceBucketTable({ distanceBuckets, maxDistance }: DistanceBucketsOptions): number[] {
  const forward = distanceBuckets / 2;
  const exact = forward / 2;
  const range = Math.fround(Math.log(maxDistance / exact));
  const bucketOf = (distance: number): number => {
    if (distance < exact) return distance;
    const fraction = Math.fround(Math.fround(Math.log(distance / exact)) / range);
    return Math.min(forward - 1, exact + Math.trunc(Math.fround(fraction * (forward - exact))));
  };
  return Array.from({ length: 2 * maxDistance + 1 }, (_, i) => {
    const distance = i - maxDistance;
    return bucketOf(Math.abs(distance)) + (distance > 0 ? forward : 0);
  });
}
