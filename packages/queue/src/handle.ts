import { SourceError, throwIfAborted } from '@sd/core';
import { JobCancelledError, jobError } from './errors.js';
import type {
  CancelledEvent,
  PreviewEvent,
  QueuedEvent,
  ReturnedEvent,
  StartedEvent,
  StepEvent,
  StoredEvent,
} from './events.js';
import { laneOfId } from './keys.js';
import { type ImageData, type JobResultData, type StoredImage, seedFrom } from './result.js';
import { append } from './scripts/append.js';
import { expireAfter } from './store/expiry.js';
import type { Store } from './store/store.js';
import { type WatchContext, watch } from './watch.js';

/** A finished image. Its bytes are in the store until the result expires. */
export interface DrawnImage extends StoredImage {
  /** Index in the job, from 0. */
  readonly index: number;
  readonly seed: number | bigint;
  /** Its settings in A1111's format, which the file has too. */
  readonly parameters: string;
  /** Reads the file. Rejects with a SourceError if it has expired. */
  bytes(): Promise<Uint8Array>;
}

export interface JobResult extends Omit<JobResultData, 'images'> {
  readonly images: readonly DrawnImage[];
}

/** What happens to a job. The last event is `done`, `failed` or `cancelled`. */
export type JobEvent =
  | QueuedEvent
  | StartedEvent
  | StepEvent
  | PreviewEvent
  | { readonly type: 'image'; readonly image: DrawnImage }
  | ReturnedEvent
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: Error }
  | CancelledEvent;

/** A job in the queue. */
export interface JobHandle {
  /** For `queue.job(id)`, also in another process. */
  readonly id: string;
  /**
   * What has happened so far, and what happens until the job has ended. Leaving the loop leaves the job alone. Throws an
   * UnknownJobError, or an AbortError.
   */
  events(options?: { readonly signal?: AbortSignal | undefined }): AsyncGenerator<JobEvent, void, void>;
  /**
   * Waits for the images. Rejects with a JobFailedError, an InvalidOptionError of the request, a JobCancelledError, an
   * UnknownJobError, or an AbortError, which leaves the job alone.
   */
  result(options?: { readonly signal?: AbortSignal | undefined }): Promise<JobResult>;
  /** Cancels the job: it never starts, or ends before its next step. Does nothing to one that has ended. */
  cancel(): Promise<void>;
}

export interface HandleContext extends WatchContext {
  readonly store: Store;
  readonly keepMs: number;
}

export function createHandle(id: string, context: HandleContext): JobHandle {
  const { connections, keys, lanes, store, keepMs } = context;
  const { redis } = connections;

  async function* events(signal?: AbortSignal): AsyncGenerator<JobEvent, void, void> {
    const finished = new Set<number>();
    for await (const event of watch(id, context, signal)) {
      // A second attempt draws what the first had finished anew, and the same to the bit.
      if (event.type === 'image' && finished.has(event.image.index)) continue;
      if (event.type === 'image') finished.add(event.image.index);
      yield publicEvent(event, id, store);
    }
  }

  return {
    id,
    events: ({ signal } = {}) => events(signal),
    async result({ signal } = {}) {
      throwIfAborted(signal);
      for await (const event of events(signal)) {
        if (event.type === 'done') return event.result;
        if (event.type === 'failed') throw event.error;
        if (event.type === 'cancelled') throw new JobCancelledError(id);
      }
      throw new JobCancelledError(id);
    },
    async cancel() {
      if ((await redis.hexists(keys.job(id), 'ended')) === 1) return;
      await redis.multi().hset(keys.job(id), 'cancelled', 1).pexpire(keys.job(id), keepMs).exec();
      // A worker that draws it hears this, or finds the mark with its next step.
      await redis.publish(keys.cancelChannel, id);
      const job = await lanes.get(laneOfId(id)).getJob(id);
      if (job === undefined || job.finishedOn !== undefined) return;
      const isRemoved = await job.remove().then(
        () => true,
        // It is being drawn.
        () => false,
      );
      if (!isRemoved) return;
      await redis
        .multi()
        .zrem(keys.waiting, id)
        .zrem(keys.waitingIn(laneOfId(id)), id)
        .exec();
      await append(redis, keys, { id, event: JSON.stringify({ type: 'cancelled' }), isLast: true, keepMs });
      await expireAfter(redis, keys, Object.values(job.data.files), 0);
    },
  };
}

function publicEvent(event: StoredEvent | QueuedEvent, id: string, store: Store): JobEvent {
  if (event.type === 'preview') {
    const { png, ...rest } = event;
    return { ...rest, bytes: Buffer.from(png, 'base64') };
  }
  if (event.type === 'image') return { type: 'image', image: drawnImage(event.image, store) };
  if (event.type === 'done') return { type: 'done', result: publicResult(event.result, store) };
  if (event.type === 'failed') return { type: 'failed', error: jobError(id, event.failure) };
  return event;
}

function publicResult({ images, ...rest }: JobResultData, store: Store): JobResult {
  return { ...rest, images: images.map((image) => drawnImage(image, store)) };
}

function drawnImage({ seed, ...image }: ImageData, store: Store): DrawnImage {
  return {
    ...image,
    seed: seedFrom(seed),
    async bytes() {
      const bytes = await store.get(image.key);
      if (bytes !== undefined) return bytes;
      throw new SourceError('not-found', image.key, `${image.key}: the image has expired, and was deleted.`);
    },
  };
}
