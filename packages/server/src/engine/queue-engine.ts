import { DisposedError, InvalidOptionError, type Warning } from '@sd/core';
import type { Timings } from '@sd/pipeline';
import type { Engine, EngineEvent, GenerateRequest, Job } from '../engine.js';

/** A queue of jobs that other processes draw: the part of `DrawQueue` of `@sd/queue` that a server needs. */
export interface QueueLike {
  enqueue(
    job: Pick<Job, 'model' | 'previews' | 'user'> & { readonly request: GenerateRequest },
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<QueuedJob>;
  models(): Promise<{ readonly names: readonly string[]; readonly loaded: readonly string[] }>;
  loras(): Promise<readonly string[]>;
  waiting(): Promise<number>;
  readonly isConnected: boolean;
  close(): Promise<void>;
}

interface QueuedJob {
  events(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<QueuedJobEvent>;
  cancel(): Promise<void>;
}

interface Place {
  readonly index: number;
  readonly step: number;
  readonly steps: number;
}

interface ImageFile {
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
}

type QueuedJobEvent =
  | { readonly type: 'queued'; readonly position: number }
  | { readonly type: 'started'; readonly model: string }
  | ({ readonly type: 'step' } & Place)
  | ({ readonly type: 'preview'; readonly width: number; readonly height: number; readonly bytes: Uint8Array } & Place)
  | {
      readonly type: 'image';
      readonly image: ImageFile & {
        readonly index: number;
        readonly seed: number | bigint;
        readonly parameters: string;
        bytes(): Promise<Uint8Array>;
      };
    }
  | { readonly type: 'returned' }
  | {
      readonly type: 'done';
      readonly result: { readonly warnings: readonly Warning[]; readonly timings: Timings };
    }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'cancelled' };

/** Draws on the machines whose workers take jobs from a queue. A job whose client is gone is cancelled there. */
export function queueEngine(queue: QueueLike): Engine {
  let isClosed = false;
  return {
    async models() {
      const { names, loaded } = await queue.models();
      return names.map((name) => ({ name, created: 0, isLoaded: loaded.includes(name) }));
    },
    async loras() {
      const names = await queue.loras();
      return names.map((name) => ({ name, path: name }));
    },
    async *run({ model, request, previews, user, output }, signal) {
      if (isClosed) throw new DisposedError('The engine');
      if (output !== undefined && output.format !== 'png') {
        throw new InvalidOptionError('format', `is ${output.format}, but workers of the queue write png.`);
      }
      const job = await queue.enqueue({ model, request, previews, user }, { signal });
      let hasEnded = false;
      try {
        for await (const event of job.events({ signal })) {
          hasEnded = event.type === 'done' || event.type === 'failed' || event.type === 'cancelled';
          yield* engineEvents(event);
        }
      } finally {
        if (!hasEnded) await job.cancel();
      }
    },
    async status() {
      const [waiting, { loaded }] = await Promise.all([queue.waiting(), queue.models()]);
      return { isReady: queue.isConnected && !isClosed, running: 0, waiting, loaded };
    },
    async close() {
      isClosed = true;
      await queue.close();
    },
  };
}

/** A worker that stopped gives a job back, and another begins it anew: clients see its steps again. */
async function* engineEvents(event: QueuedJobEvent): AsyncGenerator<EngineEvent, void, void> {
  switch (event.type) {
    case 'preview': {
      const { width, height, bytes, ...place } = event;
      yield { ...place, image: { bytes, width, height, mediaType: 'image/png' } };
      return;
    }
    case 'image': {
      const { index, seed, parameters, mediaType, width, height } = event.image;
      yield {
        type: 'image',
        index,
        seed,
        parameters,
        image: { bytes: await event.image.bytes(), mediaType, width, height },
      };
      return;
    }
    case 'done':
      yield { type: 'done', ...event.result };
      return;
    case 'failed':
      throw event.error;
    case 'cancelled':
      throw new DisposedError('The job');
    case 'returned':
      return;
    default:
      yield event;
  }
}
