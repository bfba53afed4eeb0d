import { untilAborted } from '@sd/core';

/** A lock with one holder at a time, granted in the order of the calls. */
export interface Mutex {
  /** Waits for the lock, and returns the function that releases it. Rejects with an AbortError if the signal is aborted first. */
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
