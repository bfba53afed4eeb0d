import type { Warning } from '@sd/core';
import type { Timings } from '@sd/pipeline';

/** Where an image is in the store, and what it is. */
export interface StoredImage {
  readonly key: string;
  /** Such as `image/png`. */
  readonly mediaType: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** A finished image, as JSON. */
export interface ImageData extends StoredImage {
  /** Index in the job, from 0. */
  readonly index: number;
  /** As digits, since JSON holds no numbers beyond 2^53. */
  readonly seed: string;
  /** Its settings in A1111's format, which the file has too. */
  readonly parameters: string;
}

/** A job's result as it is in Redis. */
export interface JobResultData {
  readonly images: readonly ImageData[];
  readonly warnings: readonly Warning[];
  readonly timings: Timings;
}

/** A seed from its digits: a bigint where a number would not be exact. */
export function seedFrom(digits: string): number | bigint {
  const seed = Number(digits);
  return Number.isSafeInteger(seed) ? seed : BigInt(digits);
}
