import { type Backend, lazyImport, type Source } from '@sd/core';
import { type DownloadProgress, type OpenUrlOptions, openFiles, openUrl, parseHubName } from '@sd/source';
import type { LoadPipelineOptions } from '../load/load-options.js';
import type { Pipeline } from '../pipeline.js';
import { createBackend as webBackend } from '../platform/web.js';
import type { PlainLoadOptions, WorkerBackendOptions } from './options.js';
import type { PipelineFacts, SendableLocation } from './protocol.js';

/** How a worker's script may create the backend and load the model in place of `servePipeline`. */
export interface Loading {
  /** Creates the backend from the page's settings, for instance with an ONNX Runtime that should not be imported. */
  createBackend?(settings: WorkerBackendOptions): Backend | Promise<Backend>;
  /** Loads the model, as `loadPipeline` does, for instance with custom stages. The backend is disposed with the pipeline. */
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

/** Loads the model that a page requested. Rejects as `loadPipeline` does, and then frees the backend. */
export async function loadModel(
  location: SendableLocation,
  { backend: settings = {}, download, device, dtype, ...options }: PlainLoadOptions,
  { createBackend = (given) => webBackend({ device, dtype }, given), load }: Loading,
  { signal, onProgress }: LoadContext,
): Promise<Loaded> {
  const opened = await openLocation(location, { ...download, signal, onProgress });
  const backend = await createBackend(settings);
  try {
    const path = options.path ?? opened.file;
    const full: LoadPipelineOptions = {
      ...options,
      path,
      backend,
      signal,
      // For a name on the hub.
      onProgress: ({ path: file, loaded, total }) => onProgress({ path: file, loaded, size: total }),
    };
    const pipeline = await (load ?? (await lazyImport(() => import('../load-pipeline.js'))).loadPipeline)(
      opened.source,
      full,
    );
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

async function openLocation(location: SendableLocation, options: OpenUrlOptions) {
  if (location === undefined) return { source: undefined, warnings: [] };
  if (typeof location !== 'string') return { source: openFiles(location), warnings: [] };
  // `loadPipeline` knows the addresses of a name's files.
  if (!/^https?:/.test(location) || parseHubName(location) !== undefined) return { source: location, warnings: [] };
  const source = await openUrl(location, options);
  return { source, file: source.file, warnings: source.warnings };
}
