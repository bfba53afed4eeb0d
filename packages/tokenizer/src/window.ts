/** What a window of tokens is made with. */
export interface WindowTokens {
  readonly maxLength: number;
  readonly startId: number;
  readonly endId: number;
  readonly padId: number;
}

/** Ids between start and end token, filled up with padding: [maxLength]. There may be two less of them than that. */
export function windowOf({ maxLength, startId, endId, padId }: WindowTokens, ids: readonly number[]): Int32Array {
  const window = new Int32Array(maxLength).fill(padId);
  window.set([startId, ...ids, endId]);
  return window;
}
