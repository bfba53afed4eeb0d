/** Takes a lock that is held for as long as this thread lives, and gives its name; undefined if the platform has no locks. */
export async function holdLock(): Promise<string | undefined> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return undefined;
  const name = `sd-worker-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    locks
      .request(name, () => {
        resolve(name);
        return new Promise(() => undefined);
      })
      .catch(() => resolve(undefined));
  });
}

/** Calls `onEnd` when a lock's holder has ended: no event says that a worker was terminated or ran out of memory. */
export function watchLock(name: string, onEnd: () => void, signal: AbortSignal): void {
  globalThis.navigator.locks.request(name, { signal }, onEnd).catch(() => undefined);
}
