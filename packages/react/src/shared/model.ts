import type { Warning } from '@sd/core';
import {
  type LoadWorkerPipelineOptions,
  loadWorkerPipeline,
  type WorkerPipeline,
  type WorkerSource,
} from '@sd/pipeline/worker';
import { type Observable, observable } from './observable.js';

/** Options of `loadWorkerPipeline`, without those that a shared model sets itself. */
export type ModelOptions = Omit<LoadWorkerPipelineOptions, 'onProgress' | 'signal'>;

export interface ModelState {
  readonly status: 'idle' | 'loading' | 'ready' | 'failed';
  /** Bytes that have arrived, and bytes of the files that have been opened so far. */
  readonly download: { readonly loaded: number; readonly size: number };
  /** Why the model did not load. */
  readonly error?: Error | undefined;
  /** The execution provider, `webgpu` or `wasm`, once the model is loaded. */
  readonly provider?: string | undefined;
  readonly warnings: readonly Warning[];
}

/** A model in its worker, which several users may share. */
export interface Model {
  readonly state: Observable<ModelState>;
  /** Loads the model once; after a failure, tries again. */
  load(): Promise<WorkerPipeline>;
  dispose(): void;
}

const idle: ModelState = { status: 'idle', download: { loaded: 0, size: 0 }, warnings: [] };

export function createModel(startWorker: () => Worker, source: WorkerSource | undefined, options: ModelOptions): Model {
  const state = observable(idle);
  const disposing = new AbortController();
  let loading: Promise<WorkerPipeline> | undefined;

  async function start(): Promise<WorkerPipeline> {
    state.change({ ...idle, status: 'loading', error: undefined });
    const files = new Map<string, { loaded: number; size: number }>();
    try {
      const pipeline = await loadWorkerPipeline(startWorker(), source, {
        ...options,
        signal: disposing.signal,
        onProgress({ path, loaded, size }) {
          files.set(path, { loaded, size });
          state.change({ download: total(files.values()) });
        },
      });
      const { provider, warnings } = pipeline;
      state.change({ status: 'ready', provider, warnings });
      return pipeline;
    } catch (error) {
      loading = undefined;
      if (!disposing.signal.aborted) state.change({ status: 'failed', error: error as Error });
      throw error;
    }
  }

  return {
    state,
    load() {
      loading ??= start();
      return loading;
    },
    dispose() {
      disposing.abort();
      loading?.then((pipeline) => pipeline.dispose()).catch(() => undefined);
    },
  };
}

function total(files: Iterable<{ loaded: number; size: number }>) {
  const sum = { loaded: 0, size: 0 };
  for (const { loaded, size } of files) {
    sum.loaded += loaded;
    sum.size += size;
  }
  return sum;
}
