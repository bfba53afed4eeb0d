import type { Backend, Source } from '@sd/core';
import { type DownloadProgress, openFiles, openUrl } from '@sd/source';
import type { LoadPipelineOptions } from '../load/load-options.js';
import type { Pipeline } from '../pipeline.js';
import { createBackend as webBackend } from '../platform/web.js';
import type { PlainLoadOptions, WorkerBackendOptions } from './options.js';
import type { PipelineFacts, Place } from './protocol.js';

/** What a worker's script may put in place of what `servePipeline` does. */
export interface Loading {
  /** Makes the backend, from the settings that the page gave; here goes an ONNX Runtime that is not to be imported. */
  createBackend?(settings: WorkerBackendOptions): Backend | Promise<Backend>;
  /** Loads the model: `loadPipeline`, with stages of your own. The backend is disposed with the pipeline. */
  load?(source: string | Source | undefined, options: LoadPipelineOptions): Promise<Pipeline>;
}

export interface Loaded {
  readonly pipeline: Pipeline;
  readonly facts: PipelineFacts;
  dispose(): Promise<void>;
}

interface LoadContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DownloadProgress) => void;
}

/** Loads the model that a page asked for. Rejects as `loadPipeline` does, and frees what it made. */
export async function loadPlace(
  place: Place,
  { backend: settings = {}, download, ...options }: PlainLoadOptions,
  { createBackend = webBackend, load }: Loading,
  { signal, onProgress }: LoadContext,
): Promise<Loaded> {
  const opened = await openPlace(place, { ...download, signal, onProgress });
  const backend = await createBackend(settings);
  try {
    const path = options.path ?? opened.file;
    const full = { ...options, ...(path !== undefined && { path }), backend, signal };
    const pipeline = await (load ?? (await import('../load-pipeline.js')).loadPipeline)(opened.source, full);
    return {
      pipeline,
      facts: {
        provider: backend.provider,
        float16: backend.features?.float16 ?? false,
        warnings: [...new Set([...(backend.warnings ?? []), ...opened.warnings, ...pipeline.warnings])],
        attached: pipeline.attached,
      },
      async dispose() {
        await pipeline.dispose();
        await backend.dispose();
      },
    };
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}

async function openPlace(place: Place, options: Parameters<typeof openUrl>[1]) {
  if (place === undefined) return { source: undefined, warnings: [] };
  if (typeof place !== 'string') return { source: openFiles(place), warnings: [] };
  if (!/^https?:/.test(place)) return { source: place, warnings: [] };
  const source = await openUrl(place, options);
  return { source, file: source.file, warnings: source.warnings };
}
