import { DisposedError, throwIfAborted } from '@sd/core';
import type { SdImage } from '@sd/image';
import type { AttachResult } from '../attach/attach.js';
import { checkAttachOptions } from '../attach/attach-options.js';
import type { GenerateResult, PipelineEvent, StepEvent } from '../generate/events.js';
import { previewedFrame } from '../generate/frames.js';
import type { GenerateOptions } from '../generate/options/index.js';
import { notifySteps } from '../notify-steps.js';
import type { Pipeline } from '../pipeline.js';
import { type Connection, connect } from './connection.js';
import type { LoadWorkerPipelineOptions, WorkerAttachOptions, WorkerSource } from './options.js';
import type { PackedPicture } from './packing.js';
import { sendablePlace } from './place.js';
import type { MessagePortLike, PipelineFacts } from './protocol.js';
import { sendable } from './sendable.js';

/** A pipeline that runs in a worker. Beside its stages, which stay there, it is what `loadPipeline` gives. */
export interface WorkerPipeline extends Omit<Pipeline, 'stages' | 'attach'> {
  /** The execution provider: `webgpu` or `wasm`. `warnings` tell why it is not the faster one, or has one thread. */
  readonly provider: string;
  /** Does it compute in half precision? */
  readonly float16: boolean;
  /** As `Pipeline.attach`, for what can be sent to a worker. */
  attach(file: WorkerSource, options?: WorkerAttachOptions): Promise<AttachResult>;
}

/**
 * Loads a model in a worker whose script calls `servePipeline()`, and makes a pipeline of it for this page. The worker
 * is the pipeline's from then on: it ends with `dispose()`, and where loading fails.
 *
 * What is sent is copied, and what comes back is handed over without a copy. Functions cannot be sent: `onStep` is called
 * here, other options that are or hold functions are refused by name.
 * @param source A folder's or file's address, files, or nothing for the embedded model.
 *
 * Rejects as `loadPipeline` does, and, as every method does, with a BackendError where the worker could not start or was
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
    const request = { place: sendablePlace('source', source), options: sendable(withFullUrls(options)) };
    return pipelineOver(connection, await connection.call('load', request, { signal }));
  } catch (error) {
    connection.end(() => new DisposedError('The pipeline'));
    throw error;
  }
}

/** Options that are addresses, as `source` is. */
function withFullUrls<T extends Omit<LoadWorkerPipelineOptions, 'onProgress' | 'signal'>>(options: T): T {
  const { components, config } = options;
  const places = Object.entries(components ?? {}).map(([name, place]) => [
    name,
    sendablePlace(`components.${name}`, place),
  ]);
  return {
    ...options,
    ...(components !== undefined && { components: Object.fromEntries(places) }),
    ...(config !== undefined && { config: sendablePlace('config', config) }),
  };
}

function pipelineOver(connection: Connection, facts: PipelineFacts): WorkerPipeline {
  const { provider, float16, warnings } = facts;
  const gone = () => new DisposedError('The pipeline');
  let runs = 0;
  let { attached } = facts;
  let disposing: Promise<void> | undefined;

  const picture = (packed: unknown): SdImage => {
    const image = packed as PackedPicture;
    return {
      ...image,
      async toPng() {
        // Encoding is work for the worker, as long as there is one.
        if (!connection.ended) return connection.call('png', { picture: image });
        const { encodePng } = await import('@sd/image');
        return encodePng(image, image.parameters);
      },
    };
  };

  const eventOf = (event: PipelineEvent, signal: AbortSignal | undefined): PipelineEvent => {
    if (event.type === 'image') return { ...event, image: picture(event.image) };
    if (event.type === 'step') return { ...event, preview: (frame) => preview(event, frame, signal) };
    return event;
  };
  const preview = async (
    { denoised, frames }: StepEvent,
    frame: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<SdImage> => {
    const latents = previewedFrame(denoised, frames, frame);
    return picture(await connection.call('preview', { latents }, { signal }));
  };

  async function* stream(given: GenerateOptions): AsyncGenerator<PipelineEvent, GenerateResult, void> {
    if (disposing !== undefined) throw gone();
    const { signal, onStep, ...rest } = given ?? {};
    let options: GenerateOptions | undefined = sendable(rest);
    runs += 1;
    const run = runs;
    let over = false;
    try {
      for (;;) {
        const packed = await connection.call('next', { run, ...(options && { options }) }, { signal });
        options = undefined;
        const reply = packed as { readonly event: PipelineEvent } | { readonly result: GenerateResult };
        if ('result' in reply) {
          over = true;
          return { ...reply.result, images: reply.result.images.map(picture) };
        }
        yield eventOf(reply.event, signal);
      }
    } catch (error) {
      over = true;
      // An aborted run ends there by itself, and nobody waits for it.
      if (signal?.aborted && !connection.ended) connection.call('end', { run }).catch(() => undefined);
      throw error;
    } finally {
      if (!over && !connection.ended) await connection.call('end', { run });
    }
  }

  return {
    provider,
    float16,
    warnings,
    get attached() {
      return attached;
    },
    stream,
    generate: (options) => notifySteps(stream(options), options?.onStep),
    async attach(file, given = {}) {
      if (disposing !== undefined) throw gone();
      checkAttachOptions(given);
      const { signal, ...options } = given;
      const request = { place: sendablePlace('file', file), options: sendable(options) };
      const { attachment, attached: now } = await connection.call('attach', request, { signal });
      attached = now;
      return attachment;
    },
    async detach(name) {
      if (disposing !== undefined) throw gone();
      attached = await connection.call('detach', { name });
    },
    dispose() {
      disposing ??= (async () => {
        // A worker that was lost has nothing left to free.
        if (!connection.ended) await connection.call('dispose', {}).catch(() => undefined);
        connection.end(gone);
      })();
      return disposing;
    },
  };
}
