import { InvalidOptionError, lazyImport } from '@sd/core';
import { encodePng } from '@sd/image';
import type { DownloadProgress } from '@sd/source';
import type { GenerateOptions } from '../generate/options/index.js';
import { previewOf } from '../generate/preview.js';
import { toFailure } from './failures.js';
import { holdLock } from './liveness.js';
import { type Loaded, type Loading, loadModel } from './load.js';
import { type PackedImage, type Parcel, pack } from './packing.js';
import type { CallName, Calls, FromWorker, MessagePortLike, ToWorker } from './protocol.js';
import { createRuns, type Runs } from './runs.js';

export interface ServePipelineOptions extends Loading {
  /** Where the page's messages arrive: this worker by default, or a port of a MessageChannel, as in a shared worker. */
  readonly port?: MessagePortLike;
  /** Changes a request's options before they are used, for instance to add guidance, schedulers or strengths that are functions. */
  prepare?(options: GenerateOptions): GenerateOptions;
}

/** The least time between two reports of download progress, in milliseconds. */
const progressInterval = 50;

type Handlers = {
  [Name in CallName]: (request: Calls[Name]['request'], signal: AbortSignal) => Promise<Parcel>;
};

/**
 * Runs a pipeline for a page that calls `loadWorkerPipeline`. Call this once, when the worker's script starts: a worker has
 * one pipeline.
 */
export function servePipeline(options: ServePipelineOptions = {}): void {
  const port = options.port ?? (globalThis as unknown as MessagePortLike);
  const aborts = new Map<number, AbortController>();
  let served: (Loaded & { readonly runs: Runs }) | undefined;

  const post = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  const current = () => {
    if (served === undefined)
      throw new InvalidOptionError('load', 'must be called first: nothing is loaded in this worker.');
    return served;
  };

  const handlers: Handlers = {
    async load({ location, options: loadOptions }, signal) {
      if (served !== undefined)
        throw new InvalidOptionError('load', 'was called before: a worker loads only one model.');
      const progress = throttled((progress) => post({ type: 'progress', progress }));
      const loaded = await loadModel(location, loadOptions, options, { signal, onProgress: progress.report });
      progress.flush();
      served = { ...loaded, runs: createRuns(loaded.pipeline) };
      return { value: loaded.facts, transfer: [] };
    },
    async next({ run, options: requested }, signal) {
      const { runs } = current();
      return pack(await runs.next(run, requested && (options.prepare?.(requested) ?? requested), signal));
    },
    async end({ run }) {
      await current().runs.end(run);
      return emptyReply;
    },
    preview: async ({ latents }, signal) => pack(await previewOf(current().pipeline.stages, latents, signal)),
    async png({ image: packed }) {
      const image = packed as PackedImage;
      return pack(await encodePng(image, image.parameters));
    },
    async attach({ location, options: attachOptions }, signal) {
      const { pipeline } = current();
      if (location === undefined) throw new InvalidOptionError('file', 'must be an address or files.');
      const file =
        typeof location === 'string' ? location : (await lazyImport(() => import('@sd/source'))).openFiles(location);
      const attachment = await pipeline.attach(file, { ...attachOptions, signal });
      return { value: { attachment, attached: pipeline.attached }, transfer: [] };
    },
    async detach({ name }) {
      await current().pipeline.detach(name);
      return { value: current().pipeline.attached, transfer: [] };
    },
    async dispose() {
      await served?.dispose();
      return emptyReply;
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
  const reportReady = async () => {
    lock ??= holdLock();
    post({ type: 'ready', lock: await lock });
  };

  port.addEventListener('message', ({ data }: { readonly data: ToWorker }) => {
    if (data.type === 'abort') aborts.get(data.id)?.abort();
    else if (data.type === 'call') answer(data.id, data.name, data.request);
    else reportReady();
  });
  port.start?.();
  reportReady();
}

const emptyReply: Parcel = { value: undefined, transfer: [] };

/** Limits how often progress is sent: the latest of each file at intervals, and when flushed. */
function throttled(send: (progress: DownloadProgress) => void) {
  const latest = new Map<string, DownloadProgress>();
  let lastSent = 0;
  const flush = () => {
    for (const progress of latest.values()) send(progress);
    latest.clear();
    lastSent = performance.now();
  };
  return {
    report(progress: DownloadProgress) {
      latest.set(progress.path, progress);
      if (performance.now() - lastSent >= progressInterval) flush();
    },
    flush,
  };
}
