import { throwIfAborted, untilAborted } from '@sd/core';
import { download, type HttpOptions, Unreachable } from './http.js';

/** Tries in a row that bring nothing, after which a download is given up. */
const mostTries = 3;

/**
 * Bytes `start` up to `end` of a file, in order, going on where a connection broke. Throws a SourceError, Unreachable
 * where several tries in a row brought nothing.
 */
export async function* transfer(
  url: string,
  { start, end, version }: { readonly start: number; readonly end: number; readonly version: string },
  options: HttpOptions,
): AsyncGenerator<Uint8Array, void, void> {
  let at = start;
  let tries = 0;
  while (at < end) {
    const before = at;
    try {
      for await (const piece of download(url, { start: at, end, version }, options)) {
        const wanted = piece.bytes.subarray(Math.max(0, at - piece.at), Math.max(0, end - piece.at));
        if (wanted.length === 0) continue;
        at += wanted.length;
        yield wanted;
        if (at === end) return;
      }
      throw new Unreachable(url, `the server ended its answer at byte ${at} of ${end}`);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      tries = at > before ? 0 : tries + 1;
      if (tries === mostTries) throw error;
      await untilAborted(new Promise((resolve) => setTimeout(resolve, 250 * 4 ** tries)), options.signal);
      throwIfAborted(options.signal);
    }
  }
}
