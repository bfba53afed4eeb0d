/** The length and the special tokens of a window. */
export interface WindowTokens {
  readonly maxLength: number;
  readonly startId: number;
  readonly endId: number;
  readonly padId: number;
}

/** Puts ids, `maxLength - 2` at most, between start and end token, and pads them: [maxLength]. */
export function windowOf({ maxLength, startId, endId, padId }: WindowTokens, ids: readonly number[]): Int32Array {
  const window = new Int32Array(maxLength).fill(padId);
  window.set([startId, ...ids, endId]);
  return window;
}
