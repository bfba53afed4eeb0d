import { AbortError } from './errors.js';

/** Throws an AbortError if the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal.reason);
}

/** Awaits the work, or rejects with an AbortError as soon as the signal is aborted, whether or not the work notices. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  if (signal.aborted) {
    work.catch(() => undefined);
    throw new AbortError(signal.reason);
  }
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new AbortError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Waits, or rejects with an AbortError as soon as the signal is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await untilAborted(waited, signal).finally(() => clearTimeout(timer));
}

/** A signal that follows others until `unlink()`, which must be called when nothing waits for it any more. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  unlink(): void;
}

/**
 * A signal that is aborted with the first of these, for the same reason. In place of `AbortSignal.any`, whose signals Node 20
 * keeps for as long as any of their sources lives: a pipeline would keep one for each of its runs.
 */
export function linkSignals(...sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const given = sources.filter((source) => source !== undefined);
  const stops: (() => void)[] = [];
  const unlink = () => {
    for (const stop of stops.splice(0)) stop();
  };
  const abort = (reason: unknown) => {
    unlink();
    controller.abort(reason);
  };
  const aborted = given.find((source) => source.aborted);
  if (aborted !== undefined) abort(aborted.reason);
  else for (const source of given) stops.push(follow(source, abort));
  return { signal: controller.signal, unlink };
}

type Follower = (reason: unknown) => void;

/** The followers of each signal, called by a single listener: Node warns of more than ten. */
const followersOf = new WeakMap<AbortSignal, { readonly followers: Set<Follower>; readonly listener: () => void }>();

/** Calls back when the signal is aborted. Returns a function that unsubscribes. */
function follow(source: AbortSignal, follower: Follower): () => void {
  let entry = followersOf.get(source);
  if (entry === undefined) {
    const followers = new Set<Follower>();
    const listener = () => {
      for (const each of [...followers]) each(source.reason);
    };
    entry = { followers, listener };
    followersOf.set(source, entry);
    source.addEventListener('abort', listener, { once: true });
  }
  const { followers, listener } = entry;
  followers.add(follower);
  return () => {
    followers.delete(follower);
    if (followers.size > 0) return;
    source.removeEventListener('abort', listener);
    if (followersOf.get(source)?.listener === listener) followersOf.delete(source);
  };
}
