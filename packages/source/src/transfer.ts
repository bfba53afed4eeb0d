import { pause } from '@sd/core';
import { download, type ExpectedFile, type HttpOptions, Unreachable } from './http.js';

/** Number of successive failures after which a download is given up. */
const maxFailures = 3;

/**
 * Bytes `start` to `end` of a file, in order, resuming where a connection broke. Throws a SourceError, and Unreachable after
 * several failures in a row.
 */
export async function* transfer(
  url: string,
  { start, end, ...expected }: { readonly start: number; readonly end: number } & ExpectedFile,
  options: HttpOptions,
): AsyncGenerator<Uint8Array, void, void> {
  let at = start;
  let failures = 0;
  while (at < end) {
    const before = at;
    try {
      for await (const piece of download(url, { start: at, end, ...expected }, options)) {
        const received = piece.bytes.subarray(Math.max(0, at - piece.at), Math.max(0, end - piece.at));
        if (received.length === 0) continue;
        at += received.length;
        yield received;
        if (at === end) return;
      }
      throw new Unreachable(url, `the server ended its response at byte ${at} of ${end}`);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      failures = at > before ? 0 : failures + 1;
      if (failures === maxFailures) throw error;
      await pause(250 * 4 ** failures, options.signal);
    }
  }
}
