import { BusyError, untilAborted } from '@sd/core';

export interface TurnsOptions {
  /** How many jobs run at once, each with another key. */
  readonly concurrency: number;
  /** How many may wait. */
  readonly maxWaiting: number;
}

/** A job's place: it waits, runs, and leaves. */
export interface Ticket {
  /** The number of jobs before it whenever that changes. Ends when its turn has come; throws an AbortError. */
  positions(signal: AbortSignal): AsyncGenerator<number, void, void>;
  /** Must be called at the end, whether or not its turn came. */
  leave(): void;
}

interface Entry {
  readonly key: string;
  changed: PromiseWithResolver;
}

interface PromiseWithResolver {
  readonly promise: Promise<void>;
  resolve(): void;
}

/** Lets jobs run in the order in which they came, one at a time for each key, a few at once. */
export function createTurns({ concurrency, maxWaiting }: TurnsOptions) {
  const waiting: Entry[] = [];
  const running = new Set<Entry>();
  /** Seconds that the latest jobs took, for Retry-After. */
  let recentSeconds = 5;

  function advance(): void {
    for (const entry of [...waiting]) {
      if (running.size >= concurrency) break;
      if ([...running].some(({ key }) => key === entry.key)) continue;
      waiting.splice(waiting.indexOf(entry), 1);
      running.add(entry);
    }
    for (const entry of [...waiting, ...running]) {
      entry.changed.resolve();
      entry.changed = withResolver();
    }
  }

  async function* positions(entry: Entry, signal: AbortSignal): AsyncGenerator<number, void, void> {
    let latest = -1;
    while (!running.has(entry)) {
      const { promise } = entry.changed;
      const position = waiting.indexOf(entry);
      if (position !== latest) yield position;
      latest = position;
      await untilAborted(promise, signal);
    }
  }

  return {
    get waiting() {
      return waiting.length;
    },
    get running() {
      return running.size;
    },
    /** Takes a place. Throws a BusyError if it would have to wait and no more may. */
    enter(key: string): Ticket {
      const entry: Entry = { key, changed: withResolver() };
      waiting.push(entry);
      advance();
      if (waiting.length > maxWaiting && waiting.includes(entry)) {
        waiting.splice(waiting.indexOf(entry), 1);
        const seconds = Math.max(1, Math.ceil((recentSeconds * (waiting.length + 1)) / concurrency));
        throw new BusyError(waiting.length, seconds);
      }
      const start = performance.now();
      return {
        positions: (signal) => positions(entry, signal),
        leave() {
          if (running.delete(entry)) recentSeconds = (recentSeconds + (performance.now() - start) / 1000) / 2;
          else if (waiting.includes(entry)) waiting.splice(waiting.indexOf(entry), 1);
          advance();
        },
      };
    },
  };
}

function withResolver(): PromiseWithResolver {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
