import { untilAborted } from '@sd/core';

/** A turn with the lock. */
export interface Turn {
  /** Resolves when another caller waits for the lock, or has waited. */
  readonly wanted: Promise<void>;
  release(): void;
}

/** A lock with one holder at a time, granted in the order of the calls. */
export interface Mutex {
  /** Waits for the lock. Rejects with an AbortError if the signal is aborted first. */
  acquire(signal?: AbortSignal): Promise<Turn>;
}

export function createMutex(): Mutex {
  let last: Promise<void> = Promise.resolve();
  let wantLast = () => {};
  return {
    async acquire(signal) {
      const before = last;
      wantLast();
      let release!: () => void;
      last = new Promise((resolve) => {
        release = resolve;
      });
      const wanted = new Promise<void>((resolve) => {
        wantLast = resolve;
      });
      try {
        await untilAborted(before, signal);
      } catch (error) {
        before.then(release);
        throw error;
      }
      return { wanted, release };
    },
  };
}
