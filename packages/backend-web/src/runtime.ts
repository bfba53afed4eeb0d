import { BackendError, type Warning } from '@sd/core';
import type * as Ort from 'onnxruntime-web';
import type { WebProvider } from './choice.js';

/** The exports of `onnxruntime-web/webgpu`, `/wasm`, or another build of it. */
export type OrtModule = typeof Ort;

/** Where ONNX Runtime's `.wasm` and `.mjs` files are: the URL of a folder, with a final slash, or of each file. */
export type WasmPaths = string | { readonly wasm?: string | URL; readonly mjs?: string | URL };

export interface RuntimeSettings {
  readonly threads?: number;
  readonly wasmPaths?: WasmPaths;
}

/** A loaded ONNX Runtime. All backends on it share its memory, threads and call queue. */
export interface Runtime {
  readonly ort: OrtModule;
  /** Bytes of weights that its sessions hold in WebAssembly memory. */
  held: number;
  /** Makes a call after all earlier ones: the runtime cannot handle two at a time. */
  inTurn<T>(action: () => Promise<T>): Promise<T>;
}

interface Started {
  readonly runtime: Runtime;
  readonly threads: number;
}

/** Started runtimes. A module has one WebAssembly instance, whoever uses it. */
const running = new WeakMap<OrtModule, Started>();

/** Default limit on threads: more rarely pay off, and each takes memory. */
const maxThreads = 8;

/**
 * Imports ONNX Runtime for a provider, or uses the given module, and applies the settings that only work before its first
 * session. Throws a BackendError if it cannot be imported.
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
      const message = `ONNX Runtime is running with ${before.threads} threads and cannot change to ${threads}: that takes another worker or page.`;
      warnings.push({ code: 'threads-fixed', message });
    }
    return { runtime: before.runtime, warnings };
  }
  ort.env.wasm.numThreads = threads;
  // ONNX Runtime throws everything that it would log as an error.
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

/** WebGPU does not compute on threads, and a page that is not isolated has no memory for them to share. */
function chosenThreads(provider: WebProvider, requested: number | undefined): { threads: number; warnings: Warning[] } {
  if (provider === 'webgpu') return { threads: 1, warnings: [] };
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  const threads = requested ?? Math.min(cores, maxThreads);
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
