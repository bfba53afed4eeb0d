import { untilAborted } from '@sd/core';

/** Lets one holder at a time in, in the order in which they came. */
export interface Mutex {
  /** Waits until the mutex is free; gives the function that releases it. Rejects with an AbortError if the signal is aborted first. */
  acquire(signal?: AbortSignal): Promise<() => void>;
}

export function createMutex(): Mutex {
  let last: Promise<void> = Promise.resolve();
  return {
    async acquire(signal) {
      const before = last;
      let release!: () => void;
      last = new Promise((resolve) => {
        release = resolve;
      });
      try {
        await untilAborted(before, signal);
      } catch (error) {
        before.then(release);
        throw error;
      }
      return release;
    },
  };
}
