import { type Backend, DisposedError, InvalidOptionError, type Model, type Session, throwIfAborted } from '@sd/core';
import { chooseProvider, providers, type WebProvider } from './choice.js';
import type { Device } from './gpu.js';
import { type OrtModule, startRuntime, type WasmPaths } from './runtime.js';
import { createSession, type Loader } from './session.js';

export interface WebBackendOptions {
  /**
   * The execution provider. One that is asked for and cannot start is an error. By default WebGPU where a graphics card
   * is behind it, else WebAssembly; the backend's `warnings` say why it is not the faster one.
   */
  readonly provider?: WebProvider;
  /**
   * Threads of the wasm provider: by default one for each core, at most 8. More than one needs a page that is cross-origin
   * isolated. ONNX Runtime takes the first number that it is given, for the life of its worker or page.
   */
  readonly threads?: number;
  /** Compute in half precision where the device can and the weights are stored so. Default: true. */
  readonly float16?: boolean;
  /** Which graphics card to ask for, where there are several. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * ONNX Runtime, where it is not to be imported from here: the module `onnxruntime-web/webgpu`, `/wasm` or `/jspi`, or a
   * function that imports it. It must be a build that has the provider.
   */
  readonly runtime?: OrtModule | (() => Promise<OrtModule>);
  /** Where its `.wasm` and `.mjs` files are, if not beside it. Heeded before its first session only. */
  readonly wasmPaths?: WasmPaths;
}

/**
 * A backend on onnxruntime-web, imported now. WebAssembly computes on the thread that this is called on: in a page, call it
 * in a worker.
 *
 * Throws an InvalidOptionError, or a BackendError where the provider cannot start. Its methods reject with a BackendError
 * that has the model's name and ONNX Runtime's text, and a `reason` where memory ran out or the graphics device was lost
 * (the next call then opens it again); with a TensorError for feeds that do not fit, an AbortError, or a DisposedError.
 */
export async function createWebBackend(options: WebBackendOptions = {}): Promise<Backend> {
  checkOptions(options);
  const choice = await chooseProvider(options.provider, options.powerPreference);
  const { provider } = choice;
  const { runtime, warnings } = await startRuntime(provider, options.runtime, options).catch((error) => {
    choice.device?.destroy();
    throw error;
  });
  const sessions = new Set<Session>();
  let device: Device | undefined = choice.device;
  let disposing: Promise<void> | undefined;
  const gone = () => new DisposedError('The backend');

  const loader: Loader = {
    runtime,
    provider,
    async device() {
      if (disposing !== undefined) throw gone();
      if (device?.lost() !== undefined) device = await choice.openDevice?.();
      return device;
    },
    check() {
      if (disposing !== undefined) throw gone();
    },
  };

  return {
    provider,
    features: { float16: (device?.float16 ?? false) && (options.float16 ?? true) },
    warnings: [...choice.warnings, ...warnings],
    async load(model: Model, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Session> {
      loader.check();
      throwIfAborted(signal);
      const session = await createSession(loader, model, signal);
      sessions.add(session);
      return {
        ...session,
        async dispose() {
          sessions.delete(session);
          await session.dispose();
        },
      };
    },
    dispose() {
      disposing ??= (async () => {
        await Promise.all([...sessions].map((session) => session.dispose()));
        device?.destroy();
      })();
      return disposing;
    },
  };
}

function checkOptions({ provider, threads }: WebBackendOptions): void {
  if (provider !== undefined && !providers.includes(provider)) {
    throw new InvalidOptionError('provider', `'${provider}' is none of ${providers.join(', ')}.`);
  }
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new InvalidOptionError('threads', `must be a whole number from 1 up, not ${threads}.`);
  }
}
