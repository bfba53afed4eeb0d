import { loadWorkerPipeline } from '@sd/pipeline/worker';

/** Called by the test. */
globalThis.load = async () => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const files = new Set();
  const sd = await loadWorkerPipeline(worker, 'model', {
    backend: { provider: 'wasm', wasmPaths: { wasm: new URL('ort.wasm', document.baseURI) } },
    onProgress: ({ path }) => files.add(path),
  });
  return { worker, sd, files };
};

globalThis.loadIn = (worker) => loadWorkerPipeline(worker, 'model');
