import { pause, throwIfAborted, untilAborted } from '@sd/core';
import type { Redis } from 'ioredis';
import type { Connections } from './connection.js';
import { UnknownJobError } from './errors.js';
import type { QueuedEvent, StoredEvent } from './events.js';
import { type Keys, laneOfId } from './keys.js';
import type { LaneQueue, Lanes } from './lanes.js';

/** How often to look where no message came: messages may be lost with a connection, and positions change without one. */
const lookMs = 1_000;
/** How many looks without an event before BullMQ is asked what became of the job. */
const looksUntilDoubt = 5;

export interface WatchContext {
  readonly connections: Connections;
  readonly keys: Keys;
  readonly lanes: Lanes<LaneQueue>;
}

const isLast = ({ type }: { readonly type: string }): boolean => ['done', 'failed', 'cancelled'].includes(type);

/**
 * The events of a job from its first on, up to the last, and its position while it waits. It outlives lost connections.
 * Throws an UnknownJobError, or an AbortError.
 */
export async function* watch(
  id: string,
  context: WatchContext,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredEvent | QueuedEvent, void, void> {
  const { connections, keys } = context;
  const { redis } = connections;
  throwIfAborted(signal);
  const bell = createBell();
  const stop = await untilAborted(
    retried(() => connections.listen(keys.eventChannel(id), bell.ring), signal),
    signal,
  );
  try {
    let last = '-';
    let position: number | undefined;
    let isWaiting = true;
    let looks = 0;
    for (;;) {
      const heard = bell.next();
      const found = await untilAborted(
        retried(() => redis.xrange(keys.events(id), last, '+', 'COUNT', 100), signal),
        signal,
      );
      for (const [entry, [, text]] of found) {
        last = `(${entry}`;
        const event = JSON.parse(text) as StoredEvent;
        isWaiting = event.type === 'returned';
        position = undefined;
        yield event;
        if (isLast(event)) return;
      }
      if (found.length > 0) {
        looks = 0;
        continue;
      }
      if (isWaiting) {
        const current = await untilAborted(
          retried(() => positionOf(id, keys, redis), signal),
          signal,
        );
        if (current !== undefined && current !== position) yield { type: 'queued', position: current };
        position = current;
      }
      if (
        looks++ % looksUntilDoubt === looksUntilDoubt - 1 ||
        (looks === 1 && last === '-' && position === undefined)
      ) {
        const ending = await untilAborted(
          retried(() => endingOf(id, context), signal),
          signal,
        );
        if (ending !== undefined) return yield ending;
      }
      await untilAborted(Promise.race([heard, pause(lookMs)]), signal);
    }
  } finally {
    stop();
  }
}

/** How many jobs of the lane are before it; undefined if it does not wait. */
async function positionOf(id: string, keys: Keys, redis: Redis): Promise<number | undefined> {
  return (await redis.zrank(keys.bull(laneOfId(id), 'prioritized'), id)) ?? undefined;
}

/**
 * What BullMQ says became of a job, where whoever ended it died before it could say so. Undefined while it has not ended.
 * Rejects with an UnknownJobError.
 */
async function endingOf(id: string, { connections, keys, lanes }: WatchContext): Promise<StoredEvent | undefined> {
  const job = await lanes.get(laneOfId(id)).getJob(id);
  if (job === undefined) {
    if ((await connections.redis.hexists(keys.job(id), 'cancelled')) === 1) return { type: 'cancelled' };
    // It may have ended since the last look, or be on its way to BullMQ.
    const isKnown = await connections.redis.exists(keys.job(id), keys.events(id));
    if (isKnown > 0) return undefined;
    throw new UnknownJobError(id);
  }
  if (job.finishedOn === undefined) return undefined;
  if (job.failedReason === undefined) return { type: 'done', result: job.returnvalue };
  return { type: 'failed', failure: { name: 'Error', message: job.failedReason, fields: {} } };
}

/** Tries again while Redis cannot be reached. */
async function retried<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (;;) {
    throwIfAborted(signal);
    try {
      return await work();
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      await pause(lookMs);
    }
  }
}

export function isConnectionError(error: unknown): boolean {
  const { name, message, code } = error as {
    readonly name?: string;
    readonly message?: string;
    readonly code?: string;
  };
  return (
    name === 'MaxRetriesPerRequestError' ||
    code === 'ECONNREFUSED' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ETIMEDOUT' ||
    // While it starts, Redis answers that it loads its data.
    message?.startsWith('LOADING') === true
  );
}

/** A promise that resolves with the next ring, anew after each. */
function createBell() {
  let resolve = () => {};
  let promise = Promise.resolve();
  const renew = () => {
    promise = new Promise((done) => {
      resolve = done;
    });
  };
  renew();
  return {
    next: () => promise,
    ring: () => {
      resolve();
      renew();
    },
  };
}
