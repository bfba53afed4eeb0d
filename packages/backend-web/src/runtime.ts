import { BackendError, type Warning } from '@sd/core';
import type * as Ort from 'onnxruntime-web';
import type { WebProvider } from './choice.js';

/** The exports of `onnxruntime-web/webgpu`, `/wasm`, or another build of it. */
export type OrtModule = typeof Ort;

/** Where ONNX Runtime's `.wasm` and `.mjs` files are: a folder's URL that ends with a slash, or each file's. */
export type WasmPaths = string | { readonly wasm?: string | URL; readonly mjs?: string | URL };

export interface RuntimeSettings {
  readonly threads?: number;
  readonly wasmPaths?: WasmPaths;
}

/** One loaded ONNX Runtime. All backends on it share its memory, its threads and its turn. */
export interface Runtime {
  readonly ort: OrtModule;
  /** Bytes of weights that its sessions hold in its own memory. */
  held: number;
  /** Makes a call when those before it are done: it can be inside one only. */
  inTurn<T>(action: () => Promise<T>): Promise<T>;
}

interface Started {
  readonly runtime: Runtime;
  readonly threads: number;
}

/** Runtimes that are running: a module's WebAssembly is there once, whoever uses it. */
const running = new WeakMap<OrtModule, Started>();

/** The most threads that are asked for where nobody says: more rarely pay, and each has memory of its own. */
const mostThreads = 8;

/**
 * Imports ONNX Runtime for a provider, or takes the module given, and sets what can be set before its first session only.
 * Throws a BackendError where it cannot be imported.
 */
export async function startRuntime(
  provider: WebProvider,
  given: OrtModule | (() => Promise<OrtModule>) | undefined,
  settings: RuntimeSettings,
): Promise<{ runtime: Runtime; warnings: Warning[] }> {
  const ort = await imported(provider, given);
  const { threads, warnings } = chosenThreads(provider, settings.threads);
  const before = running.get(ort);
  if (before !== undefined) {
    if (before.threads !== threads && provider === 'wasm') {
      const message = `ONNX Runtime is running with ${before.threads} threads, and cannot change to ${threads}: that takes another worker or page.`;
      warnings.push({ code: 'threads-fixed', message });
    }
    return { runtime: before.runtime, warnings };
  }
  ort.env.wasm.numThreads = threads;
  // Whatever it would log as an error it also throws.
  ort.env.logLevel = 'fatal';
  if (settings.wasmPaths !== undefined) ort.env.wasm.wasmPaths = settings.wasmPaths as typeof ort.env.wasm.wasmPaths;
  const runtime = createRuntime(ort);
  running.set(ort, { runtime, threads });
  return { runtime, warnings };
}

function createRuntime(ort: OrtModule): Runtime {
  let last: Promise<unknown> = Promise.resolve();
  return {
    ort,
    held: 0,
    inTurn(action) {
      const result = last.then(action);
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** WebGPU does its work elsewhere, and a page that is not isolated has no memory that threads could share. */
function chosenThreads(provider: WebProvider, wished: number | undefined): { threads: number; warnings: Warning[] } {
  if (provider === 'webgpu') return { threads: 1, warnings: [] };
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  const threads = wished ?? Math.min(cores, mostThreads);
  if (threads === 1 || globalThis.crossOriginIsolated === true) return { threads, warnings: [] };
  const message =
    'Models run on one thread, since the page is not cross-origin isolated. Serve it with the headers ' +
    'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.';
  return { threads: 1, warnings: [{ code: 'one-thread', message }] };
}

async function imported(
  provider: WebProvider,
  given: OrtModule | (() => Promise<OrtModule>) | undefined,
): Promise<OrtModule> {
  if (given !== undefined && typeof given !== 'function') return given;
  try {
    if (given !== undefined) return await given();
    return await (provider === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'));
  } catch (cause) {
    throw new BackendError(`ONNX Runtime could not be imported: ${(cause as Error).message}`, { cause });
  }
}
