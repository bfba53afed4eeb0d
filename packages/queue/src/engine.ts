import { randomUUID } from 'node:crypto';
import { DisposedError, linkSignals, UnsupportedError, type Warning } from '@sd/core';
import type { Timings } from '@sd/pipeline';
import { JobCancelledError, UnknownModelError } from './errors.js';
import type { JobEvent, JobHandle } from './handle.js';
import type { JobRequest } from './job.js';
import type { DrawQueue } from './queue.js';

/** A job of a server: what `Engine.run` of @sd/server takes. */
export interface EngineJob {
  readonly id: string;
  readonly model?: string | undefined;
  readonly request: JobRequest;
  readonly previews?: number | undefined;
  readonly output?: { readonly format: string } | undefined;
  readonly user?: string | undefined;
}

/** An image file. */
export interface EngineImage {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
}

/** What happens to a job, as a server passes it on. */
export type EngineEvent =
  | { readonly type: 'queued'; readonly position: number }
  | { readonly type: 'started'; readonly model: string }
  | { readonly type: 'step'; readonly index: number; readonly step: number; readonly steps: number }
  | {
      readonly type: 'preview';
      readonly index: number;
      readonly step: number;
      readonly steps: number;
      readonly image: EngineImage;
    }
  | {
      readonly type: 'image';
      readonly index: number;
      readonly seed: number | bigint;
      readonly image: EngineImage;
      readonly parameters: string;
    }
  | { readonly type: 'done'; readonly warnings: readonly Warning[]; readonly timings: Timings };

/** The engine of @sd/server over a queue. It has the shape that the server expects, and needs nothing of it. */
export interface QueueEngine {
  models(): Promise<readonly { readonly name: string; readonly created: number; readonly isLoaded: boolean }[]>;
  loras(): Promise<readonly { readonly name: string; readonly path: string }[]>;
  run(job: EngineJob, signal: AbortSignal): AsyncIterable<EngineEvent>;
  status(): Promise<{
    readonly isReady: boolean;
    readonly running: number;
    readonly waiting: number;
    readonly loaded: readonly string[];
  }>;
  close(): Promise<void>;
}

/**
 * Lets a server's requests be drawn by the workers of a queue: a request whose client leaves is cancelled on whatever machine
 * draws it. `close()` cancels those that run, and leaves the queue open.
 */
export function queueEngine(queue: DrawQueue): QueueEngine {
  const closing = new AbortController();

  async function modelOf({ model }: EngineJob): Promise<string> {
    const { names } = await queue.models();
    if (model === undefined && names.length > 0) return names[0];
    if (model !== undefined && names.includes(model)) return model;
    throw new UnknownModelError(model ?? 'default', names);
  }

  async function* run(job: EngineJob, signal: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
    const { request, previews, user, output: { format } = { format: 'png' } } = job;
    if (format !== 'png') throw new UnsupportedError(`Workers write png alone, not ${format}.`);
    const model = await modelOf(job);
    const handle = await queue.enqueue({ model, request, previews, user }, { signal, id: randomUUID() });
    let isEnded = false;
    try {
      yield* eventsOf(handle, signal);
      isEnded = true;
    } finally {
      // What nobody waits for any more is not drawn.
      if (!isEnded) await handle.cancel();
    }
  }

  return {
    async models() {
      const { names, loaded } = await queue.models();
      return names.map((name) => ({ name, created: 0, isLoaded: loaded.includes(name) }));
    },
    async loras() {
      return (await queue.loras()).map((name) => ({ name, path: name }));
    },
    async *run(job, signal) {
      if (closing.signal.aborted) throw new DisposedError('The engine');
      const linked = linkSignals(signal, closing.signal);
      try {
        yield* run(job, linked.signal);
      } finally {
        linked.unlink();
      }
    },
    async status() {
      const isReady = queue.isConnected && !closing.signal.aborted;
      if (!isReady) return { isReady, running: 0, waiting: 0, loaded: [] };
      const [workers, waiting] = await Promise.all([queue.workers(), queue.waiting()]);
      const running = workers.filter((worker) => worker.job !== undefined).length;
      return { isReady, running, waiting, loaded: [...new Set(workers.flatMap((worker) => worker.loaded))] };
    },
    async close() {
      closing.abort(new DisposedError('The engine'));
    },
  };
}

/** The events of a job. A second attempt draws the images that the first had finished anew: they are the same. */
async function* eventsOf(handle: JobHandle, signal: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
  const finished = new Set<number>();
  for await (const event of handle.events({ signal })) {
    const isRepeated = event.type === 'image' && finished.has(event.image.index);
    if (event.type === 'image') finished.add(event.image.index);
    const passed = isRepeated ? undefined : await engineEvent(event, handle.id);
    if (passed !== undefined) yield passed;
  }
}

async function engineEvent(event: JobEvent, id: string): Promise<EngineEvent | undefined> {
  switch (event.type) {
    case 'preview': {
      const { bytes, width, height, ...rest } = event;
      return { ...rest, image: { bytes, width, height, mediaType: 'image/png' } };
    }
    case 'image': {
      const { index, seed, parameters, mediaType, width, height } = event.image;
      const image = { bytes: await event.image.bytes(), mediaType, width, height };
      return { type: 'image', index, seed, parameters, image };
    }
    case 'started':
      return { type: 'started', model: event.model };
    case 'done':
      return { type: 'done', warnings: event.result.warnings, timings: event.result.timings };
    case 'failed':
      throw event.error;
    case 'cancelled':
      throw new JobCancelledError(id);
    case 'returned':
      return undefined;
    default:
      return event;
  }
}
