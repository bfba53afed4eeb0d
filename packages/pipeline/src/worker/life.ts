/** Name of a lock that is held as long as this thread lives, where the platform has locks. */
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

/** Calls back when a lock's holder has ended: no event tells of a worker that was terminated or ran out of memory. */
export function watchLock(name: string, onEnd: () => void, signal: AbortSignal): void {
  globalThis.navigator.locks.request(name, { signal }, onEnd).catch(() => undefined);
}
