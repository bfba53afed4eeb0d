import { DisposedError } from '@sd/core';
import { createMutex } from './mutex.js';

/** Runs a pipeline's requests one at a time, in the order in which they came, until the pipeline is disposed. */
export interface RequestQueue {
  /**
   * Runs a request that yields events. Its signal is aborted with the caller's, and when the queue is closed; in that case the
   * request ends with a DisposedError.
   */
  stream<Event, Result>(
    signal: AbortSignal | undefined,
    request: (signal: AbortSignal) => AsyncGenerator<Event, Result, void>,
  ): AsyncGenerator<Event, Result, void>;
  /** Runs a request without events. */
  run<T>(signal: AbortSignal | undefined, request: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Throws a DisposedError if the queue is closed. */
  checkOpen(): void;
  /** Ends the current request and all that wait. */
  close(): void;
}

export function createRequestQueue(): RequestQueue {
  const mutex = createMutex();
  const closing = new AbortController();

  async function* stream<Event, Result>(
    callerSignal: AbortSignal | undefined,
    request: (signal: AbortSignal) => AsyncGenerator<Event, Result, void>,
  ): AsyncGenerator<Event, Result, void> {
    const signal = AbortSignal.any([closing.signal, ...(callerSignal === undefined ? [] : [callerSignal])]);
    try {
      const release = await mutex.acquire(signal);
      try {
        return yield* request(signal);
      } finally {
        release();
      }
    } catch (error) {
      throw closing.signal.aborted && isAbort(error) ? new DisposedError('The pipeline') : error;
    }
  }

  return {
    stream,
    async run<T>(callerSignal: AbortSignal | undefined, request: (signal: AbortSignal) => Promise<T>) {
      // biome-ignore lint/correctness/useYield: a request without events
      const events = stream(callerSignal, async function* (signal): AsyncGenerator<never, T, void> {
        return request(signal);
      });
      return (await events.next()).value as T;
    },
    checkOpen() {
      if (closing.signal.aborted) throw new DisposedError('The pipeline');
    },
    close: () => closing.abort(),
  };
}

/** Custom stages may reject with the platform's AbortError in place of ours. */
function isAbort(error: unknown): boolean {
  return error instanceof DisposedError || (error instanceof Error && error.name === 'AbortError');
}
