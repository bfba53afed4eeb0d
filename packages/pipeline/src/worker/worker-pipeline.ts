import { DisposedError, throwIfAborted } from '@sd/core';
import { imageMethods, type SdImage } from '@sd/image';
import type { AttachResult } from '../attach/attach.js';
import { checkAttachOptions } from '../attach/attach-options.js';
import { createCallbackScope } from '../callback-scope.js';
import type { GenerateResult, PipelineEvent, StepEvent } from '../generate/events.js';
import { previewedFrame } from '../generate/frames.js';
import type { GenerateOptions } from '../generate/options/index.js';
import { notifySteps } from '../notify-steps.js';
import type { Pipeline } from '../pipeline.js';
import { type Connection, connect } from './connection.js';
import { sendableLocation } from './location.js';
import type { LoadWorkerPipelineOptions, WorkerAttachOptions, WorkerSource } from './options.js';
import type { PackedImage } from './packing.js';
import type { MessagePortLike, PipelineFacts } from './protocol.js';
import { sendable } from './sendable.js';

/** A pipeline that runs in a worker: the same as `loadPipeline` gives, except for its stages, which stay there. */
export interface WorkerPipeline extends Omit<Pipeline, 'stages' | 'attach'> {
  /** The execution provider: `webgpu` or `wasm`. If it is not the faster one, or has one thread, `warnings` say why. */
  readonly provider: string;
  /** True if it computes in half precision. */
  readonly float16: boolean;
  /** As `Pipeline.attach`, for files that can be sent to a worker. */
  attach(file: WorkerSource, options?: WorkerAttachOptions): Promise<AttachResult>;
}

/**
 * Loads a model in a worker whose script calls `servePipeline()`, and returns a pipeline that this page controls. From
 * then on the worker belongs to the pipeline: it is terminated by `dispose()`, or if loading fails.
 *
 * Requests are copied; results are transferred without a copy. Functions cannot be sent: `onStep` is called on this page,
 * and any other option that is or contains a function is refused by name.
 * @param source The address of a folder or file, or files; without it, the embedded model.
 *
 * Rejects as `loadPipeline` does. This and every method reject with a BackendError if the worker could not start or was
 * lost.
 */
export async function loadWorkerPipeline(
  worker: MessagePortLike,
  source?: WorkerSource,
  { onProgress, signal, ...options }: LoadWorkerPipelineOptions = {},
): Promise<WorkerPipeline> {
  const connection = connect(worker, onProgress);
  try {
    throwIfAborted(signal);
    const request = { location: sendableLocation('source', source), options: sendable(withFullUrls(options)) };
    return pipelineOver(connection, await connection.call('load', request, { signal }));
  } catch (error) {
    connection.end(disposed);
    throw error;
  }
}

const disposed = () => new DisposedError('The pipeline');

/** Resolves the options that are addresses, as `source` is resolved. */
function withFullUrls<T extends Omit<LoadWorkerPipelineOptions, 'onProgress' | 'signal'>>(options: T): T {
  const { components, config } = options;
  const locations = Object.entries(components ?? {}).map(([name, location]) => [
    name,
    sendableLocation(`components.${name}`, location),
  ]);
  return {
    ...options,
    components: components && Object.fromEntries(locations),
    config: sendableLocation('config', config),
  };
}

function pipelineOver(connection: Connection, facts: PipelineFacts): WorkerPipeline {
  const { provider, float16, warnings } = facts;
  const runEvents = eventStreams(connection);
  const callbacks = createCallbackScope();
  let { attached } = facts;
  let disposing: Promise<void> | undefined;
  const throwIfDisposed = () => {
    if (disposing !== undefined) throw disposed();
  };

  async function* stream(options: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    throwIfDisposed();
    callbacks.checkOutside();
    return yield* runEvents(options);
  }

  return {
    provider,
    float16,
    warnings,
    get attached() {
      return attached;
    },
    stream,
    generate: (options) =>
      notifySteps(stream(options), { onStep: options?.onStep, callbacks, signals: [options?.signal] }),
    async attach(file, attachOptions = {}) {
      throwIfDisposed();
      checkAttachOptions(attachOptions);
      const { signal, ...options } = attachOptions;
      const request = { location: sendableLocation('file', file), options: sendable(options) };
      const reply = await connection.call('attach', request, { signal });
      attached = reply.attached;
      return reply.attachment;
    },
    async detach(name) {
      throwIfDisposed();
      attached = await connection.call('detach', { name });
    },
    dispose() {
      disposing ??= (async () => {
        // A worker that was lost has nothing left to free.
        if (!connection.ended) await connection.call('dispose', {}).catch(() => undefined);
        connection.end(disposed);
      })();
      return disposing;
    },
  };
}

/** Starts runs in the worker; each is an async generator that asks for the next event when its reader does. */
function eventStreams(connection: Connection) {
  let runs = 0;

  return async function* (given: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    const { signal, onStep, ...rest } = given ?? {};
    let options: GenerateOptions | undefined = sendable(rest);
    runs += 1;
    const run = runs;
    let isOver = false;
    try {
      for (;;) {
        const packed = await connection.call('next', { run, options }, { signal });
        options = undefined;
        const reply = packed as { readonly event: PipelineEvent } | { readonly result: GenerateResult };
        if ('result' in reply) {
          isOver = true;
          return { ...reply.result, images: reply.result.images.map((image) => imageOf(connection, image)) };
        }
        yield eventOf(connection, reply.event, signal);
      }
    } catch (error) {
      isOver = true;
      // The worker aborts the run too, and nothing here waits for that.
      if (signal?.aborted && !connection.ended) connection.call('end', { run }).catch(() => undefined);
      throw error;
    } finally {
      if (!isOver && !connection.ended) await connection.call('end', { run });
    }
  };
}

/** An event with the functions that were not sent. */
function eventOf(connection: Connection, event: PipelineEvent, signal: AbortSignal | undefined): PipelineEvent {
  if (event.type === 'image') return { ...event, image: imageOf(connection, event.image) };
  if (event.type === 'step') return { ...event, preview: (frame) => previewOf(connection, event, frame, signal) };
  return event;
}

async function previewOf(
  connection: Connection,
  { denoised, frames }: StepEvent,
  frame: number | undefined,
  signal: AbortSignal | undefined,
): Promise<SdImage> {
  const latents = previewedFrame(denoised, frames, frame);
  return imageOf(connection, await connection.call('preview', { latents }, { signal }));
}

function imageOf(connection: Connection, packed: unknown): SdImage {
  const image = packed as PackedImage;
  const methods = imageMethods(async (options) => {
    // The worker encodes images for as long as it exists.
    if (!connection.ended) return connection.call('encode', { image, options });
    // Not by lazyImport, which is for Node: this page has little code.
    const { encodeImage } = await import('@sd/image');
    return encodeImage(image, { ...options, parameters: image.parameters });
  });
  return { ...image, ...methods };
}
