import { DisposedError, linkSignals } from '@sd/core';
import { createMutex } from './mutex.js';
import { runAhead } from './run-ahead.js';

/** Runs a pipeline's requests one at a time, in the order in which they came, until the pipeline is disposed. */
export interface RequestQueue {
  /**
   * Runs a request that yields events. Its signal is aborted with the caller's, and when the queue is closed; in that case the
   * request ends with a DisposedError. It waits for the reader of its events only while no other request waits for it, and
   * then keeps the newest `keptEvents` of those that `canDrop` accepts, and all others.
   */
  stream<Event, Result>(
    signal: AbortSignal | undefined,
    request: (signal: AbortSignal) => AsyncGenerator<Event, Result, void>,
    canDrop: (event: Event) => boolean,
  ): AsyncGenerator<Event, Result, void>;
  /** Runs a request without events. */
  run<T>(signal: AbortSignal | undefined, request: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Throws a DisposedError if the queue is closed. */
  checkOpen(): void;
  /** Aborted when the queue is closed. */
  readonly closed: AbortSignal;
  /** Ends the current request and all that wait. */
  close(): void;
}

/** The steps of a long run. Each holds two sets of latents: for an image of 1024 x 1024 pixels, half a megabyte. */
export const keptEvents = 100;

export function createRequestQueue(): RequestQueue {
  const mutex = createMutex();
  const closing = new AbortController();

  /** Runs a request in its turn. `onWanted` is called when it should end soon: another request waits, or it was aborted. */
  async function* inTurn<Event, Result>(
    callerSignal: AbortSignal | undefined,
    request: (signal: AbortSignal) => AsyncGenerator<Event, Result, void>,
    onWanted: () => void,
  ): AsyncGenerator<Event, Result, void> {
    const { signal, unlink } = linkSignals(closing.signal, callerSignal);
    try {
      const turn = await mutex.acquire(signal);
      turn.wanted.then(onWanted);
      signal.addEventListener('abort', onWanted);
      try {
        return yield* request(signal);
      } finally {
        turn.release();
      }
    } catch (error) {
      throw closing.signal.aborted && isAbort(error) ? new DisposedError('The pipeline') : error;
    } finally {
      unlink();
    }
  }

  return {
    async *stream(callerSignal, request, canDrop) {
      let onWanted = () => {};
      const hurry = new Promise<void>((resolve) => {
        onWanted = resolve;
      });
      const leaving = new AbortController();
      const { signal, unlink } = linkSignals(leaving.signal, callerSignal);
      try {
        const run = inTurn(signal, request, onWanted);
        return yield* runAhead(run, { hurry, limit: keptEvents, canDrop, abort: () => leaving.abort() });
      } finally {
        unlink();
      }
    },
    async run<T>(callerSignal: AbortSignal | undefined, request: (signal: AbortSignal) => Promise<T>) {
      // biome-ignore lint/correctness/useYield: a request without events
      const withoutEvents = async function* (signal: AbortSignal): AsyncGenerator<never, T, void> {
        return request(signal);
      };
      return (await inTurn(callerSignal, withoutEvents, () => {}).next()).value as T;
    },
    checkOpen() {
      if (closing.signal.aborted) throw new DisposedError('The pipeline');
    },
    closed: closing.signal,
    close: () => closing.abort(),
  };
}

/** Custom stages may reject with the platform's AbortError in place of ours. */
function isAbort(error: unknown): boolean {
  return error instanceof DisposedError || (error instanceof Error && error.name === 'AbortError');
}
