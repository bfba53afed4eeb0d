import { randomUUID } from 'node:crypto';
import { messageOf, SourceError, toFailure, type Warning } from '@sd/core';
import type { GenerateResult } from '@sd/pipeline';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { StoredEvent } from '../events.js';
import { fileOptions, type StoredJob, unpackRequest } from '../job.js';
import { type Keys, laneOfId, longestJobMs } from '../keys.js';
import type { LaneQueue, Lanes, LaneWorker } from '../lanes.js';
import { liveWorkers } from '../registry.js';
import type { ImageData, JobResultData } from '../result.js';
import { append } from '../scripts/append.js';
import { start, unstart } from '../scripts/start.js';
import { expireAfter, putUntil } from '../store/expiry.js';
import type { Store } from '../store/store.js';
import { draw } from './draw.js';
import { keepLock } from './keep-lock.js';
import type { Models } from './models.js';
import { createReporter } from './reporter.js';

type DrawingJob = Job<StoredJob, JobResultData, 'draw'>;

export interface RunContext {
  readonly workerId: string;
  readonly name: string;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly store: Store;
  readonly queues: Lanes<LaneQueue>;
  readonly models: Models;
  readonly lockMs: number;
  readonly keepMs: number;
  onError(error: unknown): void;
}

/** Why a job ends before it is finished: cancelled by its caller, lost to another worker, or given back to the queue. */
export type Stop = 'cancelled' | 'lost' | 'returned';

/** A job that is drawn now. */
export interface RunningJob {
  readonly id: string;
  stop(why: Stop): void;
  /** Resolves when the job is off this worker, whatever became of it. */
  readonly ended: Promise<void>;
}

/** Draws a job that this worker holds the lock of, and hands the result over. */
export function runJob(job: DrawingJob, token: string, lane: LaneWorker, context: RunContext): RunningJob {
  const stopping = new AbortController();
  let why: Stop | undefined;
  const stop = (reason: Stop) => {
    why ??= reason;
    stopping.abort();
  };
  const id = job.id as string;
  const releaseLock = keepLock(lane, { id, token, lockMs: context.lockMs, onLoss: () => stop('lost') });
  const attempt = createAttempt(job, token, context, { stop, signal: stopping.signal });
  const work = async () => {
    try {
      await attempt.begin();
      if (job.deferredFailure !== undefined) return await attempt.fail(tooManyDeaths());
      await attempt.finish(await attempt.draw());
    } catch (error) {
      // Whoever watches may have been told of images that are finished, which the next attempt draws again.
      await attempt.discard(why === 'lost' || why === 'returned' ? context.keepMs : 0);
      if (why === 'cancelled') await attempt.cancel();
      else if (why === 'returned' || (why === undefined && (await attempt.isForOthers(error))))
        await attempt.giveBack();
      else if (why === undefined) await attempt.fail(error);
    } finally {
      releaseLock();
    }
  };
  return { id, stop, ended: work() };
}

function tooManyDeaths(): Error {
  return new Error('Two workers died while they drew this job: it is not tried again.');
}

interface Stopping {
  stop(why: Stop): void;
  readonly signal: AbortSignal;
}

/** One attempt at a job. What it stores has keys of its own, so that two attempts never share a file. */
function createAttempt(job: DrawingJob, token: string, context: RunContext, { stop, signal }: Stopping) {
  const { redis, keys, store, models, keepMs } = context;
  const { data } = job;
  const id = job.id as string;
  const folder = `${context.name}/results/${id}/${randomUUID()}`;
  const images: ImageData[] = [];
  const stored: string[] = [];
  const onLoss = (result: string) => stop(result === 'cancelled' ? 'cancelled' : 'lost');
  const reporter = createReporter({ redis, keys, id, token, keepMs: longestJobMs, onLoss });
  let isPrepared = false;
  let starts = 0;

  async function files(): Promise<Record<string, Uint8Array>> {
    const found: Record<string, Uint8Array> = {};
    for (const option of fileOptions) {
      const key = data.files[option];
      if (key === undefined) continue;
      const bytes = await store.get(key);
      if (bytes === undefined) throw new SourceError('not-found', key, `${key}: the job's ${option} has expired.`);
      found[option] = bytes;
    }
    return found;
  }

  async function storeImage(image: Omit<ImageData, 'key' | 'mediaType'>, png: Uint8Array): Promise<ImageData> {
    const key = `${folder}/${image.index}.png`;
    stored.push(key);
    await putUntil(context, key, png, longestJobMs + keepMs);
    return { ...image, key, mediaType: 'image/png' };
  }

  /** Says how the job ended, after BullMQ has agreed. If that fails, those who watch will ask BullMQ. */
  async function end(event: StoredEvent, images: readonly string[] = []): Promise<void> {
    try {
      await append(redis, keys, { id, event: JSON.stringify(event), isLast: true, keepMs });
      await expireAfter(redis, keys, [...Object.values(data.files), ...images], keepMs);
    } catch (error) {
      context.onError(error);
    }
  }

  return {
    async begin(): Promise<void> {
      starts = await start(redis, keys, id);
    },

    async draw(): Promise<JobResultData> {
      await reporter.send({ type: 'started', model: data.model, worker: context.workerId, attempt: starts });
      const { pipeline, warnings } = await models.prepare(data, signal);
      isPrepared = true;
      const request = { ...unpackRequest(data.request), ...(await files()), signal };
      const result = await draw(pipeline, request, data.previews, {
        onStep: ({ index, step, steps }) => reporter.sendSoon({ type: 'step', index, step, steps }),
        async onPreview({ index, step, steps }, preview) {
          const { width, height } = preview;
          const png = Buffer.from(await preview.toPng()).toString('base64');
          await reporter.send({ type: 'preview', index, step, steps, width, height, png });
        },
        async onImage({ png, ...image }) {
          images.push(await storeImage(image, png));
          await reporter.send({ type: 'image', image: images[images.length - 1] });
        },
      });
      signal.throwIfAborted();
      return resultData(images, warnings, result);
    },

    /** Completes the job, unless another worker has it now: then the images are deleted, and that one's count. */
    async finish(result: JobResultData): Promise<void> {
      try {
        await job.moveToCompleted(result, token, false);
      } catch (error) {
        if (!(await hasCompleted(id, result, context.queues))) {
          stop('lost');
          throw error;
        }
      }
      // They are no longer this attempt's to delete.
      await end({ type: 'done', result }, stored.splice(0));
    },

    async fail(error: unknown): Promise<void> {
      // The stack of a worker is of no use to others.
      const { stack: _, ...failure } = toFailure(error);
      const reason = Object.assign(new Error(messageOf(error)), { stack: '' });
      if (await isOurs(job.moveToFailed(reason, token, false))) await end({ type: 'failed', failure });
    },

    async cancel(): Promise<void> {
      if (await isOurs(job.moveToFailed(new Error('The job was cancelled.'), token, false))) {
        await end({ type: 'cancelled' });
      }
    },

    async giveBack(): Promise<void> {
      await reporter.send({ type: 'returned' });
      await unstart(redis, keys, id, job.timestamp);
      await isOurs(job.moveToWait(token));
      await redis.publish(keys.wakeChannel, '');
    },

    /** Whether another worker may be able to load what this one could not. */
    async isForOthers(error: unknown): Promise<boolean> {
      if (isPrepared || signal.aborted) return false;
      const failures = await redis.hincrby(keys.job(id), 'loadFailures', 1);
      if (failures > 2 || error === undefined) return false;
      const others = await liveWorkers(redis, keys);
      return others.some((other) => other.id !== context.workerId && other.models.includes(data.model));
    },

    /** Has what was stored deleted after a time. */
    async discard(afterMs: number): Promise<void> {
      await expireAfter(redis, keys, stored.splice(0), afterMs);
    },
  };
}

function resultData(images: readonly ImageData[], warnings: readonly Warning[], result: GenerateResult): JobResultData {
  return { images, warnings: [...warnings, ...result.warnings], timings: result.timings };
}

/** Whether BullMQ has this very result: its reply may have been lost with a connection. */
async function hasCompleted(id: string, { images }: JobResultData, queues: Lanes<LaneQueue>): Promise<boolean> {
  const { finishedOn, returnvalue } = (await queues.get(laneOfId(id)).getJob(id)) ?? {};
  return finishedOn !== undefined && returnvalue?.images[0]?.key === images[0]?.key;
}

/** False if BullMQ refused, because another worker has the job. */
async function isOurs(moved: Promise<unknown>): Promise<boolean> {
  return moved.then(
    () => true,
    () => false,
  );
}
