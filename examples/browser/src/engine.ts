import { loadWorkerPipeline, type WorkerBackendOptions, type WorkerPipeline } from '@sd/pipeline/worker';

/** The pipeline in its worker. */
export interface Engine {
  readonly sd: WorkerPipeline;
  /** Loading time in milliseconds. */
  readonly loading: number;
}

/** Bytes of the model: loaded, and in total. */
export interface Loaded {
  readonly bytes: number;
  readonly of: number;
}

/** Starts a worker, and loads the embedded model in it. Rejects as `loadWorkerPipeline` does. */
export async function startEngine(
  provider: WorkerBackendOptions['provider'],
  onProgress: (loaded: Loaded) => void,
): Promise<Engine> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const files = new Map<string, number>();
  const start = performance.now();
  const sd = await loadWorkerPipeline(worker, new URL(__MODEL_URL__, document.baseURI), {
    ...(provider !== undefined && { backend: { provider } }),
    onProgress({ path, loaded }) {
      files.set(path, loaded);
      const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
      onProgress({ bytes, of: __MODEL_BYTES__ });
    },
  });
  return { sd, loading: performance.now() - start };
}
