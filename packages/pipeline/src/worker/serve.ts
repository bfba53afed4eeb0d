import { InvalidOptionError } from '@sd/core';
import { encodePng } from '@sd/image';
import type { DownloadProgress } from '@sd/source';
import type { GenerateOptions } from '../generate/options/index.js';
import { previewOf } from '../generate/preview.js';
import { toFailure } from './failures.js';
import { holdLock } from './life.js';
import { type Loaded, type Loading, loadPlace } from './load.js';
import { type PackedPicture, type Parcel, pack } from './packing.js';
import type { CallName, Calls, MessagePortLike, ToPage, ToWorker } from './protocol.js';
import { createRuns, type Runs } from './runs.js';

export interface ServePipelineOptions extends Loading {
  /** What the page talks to: this worker, if left out; or a port of a MessageChannel, as in a shared worker. */
  readonly port?: MessagePortLike;
  /** Changes a request's options before they are used: the place for guidance, schedulers and strengths that are functions. */
  prepare?(options: GenerateOptions): GenerateOptions;
}

/** The least time between two messages of a download's progress, in milliseconds. */
const progressInterval = 50;

type Handlers = {
  [Name in CallName]: (request: Calls[Name]['request'], signal: AbortSignal) => Promise<Parcel>;
};

/**
 * Runs a pipeline for a page, which calls `loadWorkerPipeline`: to be called once in a worker's script, when it starts.
 * One pipeline a worker.
 */
export function servePipeline(options: ServePipelineOptions = {}): void {
  const port = options.port ?? (globalThis as unknown as MessagePortLike);
  const aborts = new Map<number, AbortController>();
  let served: (Loaded & { readonly runs: Runs }) | undefined;

  const post = (message: ToPage, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  const current = () => {
    if (served === undefined) throw new InvalidOptionError('load', 'comes first: nothing is loaded in this worker.');
    return served;
  };

  const handlers: Handlers = {
    async load({ place, options: given }, signal) {
      if (served !== undefined) throw new InvalidOptionError('load', 'was called before: this worker has its model.');
      const progress = throttled((progress) => post({ type: 'progress', progress }));
      const loaded = await loadPlace(place, given, options, { signal, onProgress: progress.report });
      progress.flush();
      served = { ...loaded, runs: createRuns(loaded.pipeline) };
      return { value: loaded.facts, transfer: [] };
    },
    async next({ run, options: given }, signal) {
      return pack(await current().runs.next(run, given && (options.prepare?.(given) ?? given), signal));
    },
    async end({ run }) {
      await current().runs.end(run);
      return nothing;
    },
    preview: async ({ latents }, signal) => pack(await previewOf(current().pipeline.stages, latents, signal)),
    async png({ picture }) {
      const image = picture as PackedPicture;
      return pack(await encodePng(image, image.parameters));
    },
    async attach({ place, options: given }, signal) {
      const { pipeline } = current();
      if (place === undefined) throw new InvalidOptionError('file', 'must be an address or files.');
      const file = typeof place === 'string' ? place : (await import('@sd/source')).openFiles(place);
      const attachment = await pipeline.attach(file, { ...given, signal });
      return { value: { attachment, attached: pipeline.attached }, transfer: [] };
    },
    async detach({ name }) {
      await current().pipeline.detach(name);
      return { value: current().pipeline.attached, transfer: [] };
    },
    async dispose() {
      await served?.dispose();
      return nothing;
    },
  };

  async function answer<Name extends CallName>(id: number, name: Name, request: Calls[Name]['request']): Promise<void> {
    const abort = new AbortController();
    aborts.set(id, abort);
    try {
      const { value, transfer } = await handlers[name](request, abort.signal);
      post({ type: 'reply', id, value }, transfer);
    } catch (error) {
      post({ type: 'failure', id, failure: toFailure(error) });
    } finally {
      aborts.delete(id);
    }
  }

  let lock: Promise<string | undefined> | undefined;
  const ready = async () => {
    lock ??= holdLock();
    const held = await lock;
    post({ type: 'ready', ...(held !== undefined && { lock: held }) });
  };

  port.addEventListener('message', ({ data }: { readonly data: ToWorker }) => {
    if (data.type === 'abort') aborts.get(data.id)?.abort();
    else if (data.type === 'call') answer(data.id, data.name, data.request);
    else ready();
  });
  port.start?.();
  ready();
}

const nothing: Parcel = { value: undefined, transfer: [] };

/** The latest of each file, now and then, and at the end. */
function throttled(send: (progress: DownloadProgress) => void) {
  const latest = new Map<string, DownloadProgress>();
  let before = 0;
  const flush = () => {
    for (const progress of latest.values()) send(progress);
    latest.clear();
    before = performance.now();
  };
  return {
    report(progress: DownloadProgress) {
      latest.set(progress.path, progress);
      if (performance.now() - before >= progressInterval) flush();
    },
    flush,
  };
}
