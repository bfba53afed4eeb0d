import { AbortError } from '@sd/core';

/** Lets one at a time pass, in the order in which they came. */
export interface Turns {
  /** Waits for the turn; gives the function that ends it. Rejects with an AbortError if the signal is aborted first. */
  take(signal?: AbortSignal): Promise<() => void>;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    async take(signal) {
      const before = last;
      let end!: () => void;
      last = new Promise((resolve) => {
        end = resolve;
      });
      try {
        await abortable(before, signal);
      } catch (error) {
        before.then(end);
        throw error;
      }
      return end;
    },
  };
}

function abortable(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(new AbortError(signal.reason));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
