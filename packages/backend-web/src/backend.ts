import {
  type Backend,
  DisposedError,
  InvalidOptionError,
  type Model,
  type Session,
  settleAll,
  show,
  throwIfAborted,
} from '@sd/core';
import { checkOptions, flag, type OptionTable, oneOf } from '@sd/core/options';
import { chooseProvider, providers, type WebProvider } from './choice.js';
import type { Device } from './gpu.js';
import { type OrtModule, startRuntime, type WasmPaths } from './runtime.js';
import { createSession, type Loader } from './session.js';

export interface WebBackendOptions {
  /**
   * The execution provider. If it is given and cannot start, that is an error. By default WebGPU if a graphics card is
   * available, otherwise WebAssembly; `warnings` then gives the reason.
   */
  readonly provider?: WebProvider;
  /**
   * Threads of the wasm provider; by default one per core, at most 8. More than one needs a cross-origin isolated page. ONNX
   * Runtime keeps the first number it gets for the life of its worker or page.
   */
  readonly threads?: number;
  /** Whether to compute in half precision if the device supports it. Default: true. */
  readonly float16?: boolean;
  /** Which graphics card to request if there are several. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * ONNX Runtime, if it is not to be imported from here: the module `onnxruntime-web/webgpu`, `/wasm` or `/jspi`, or a
   * function that imports it. The build must include the provider.
   */
  readonly runtime?: OrtModule | (() => Promise<OrtModule>);
  /** Where its `.wasm` and `.mjs` files are, if not next to it. Has an effect only before its first session. */
  readonly wasmPaths?: WasmPaths;
}

/**
 * Creates a backend on onnxruntime-web, which it imports. WebAssembly computes on the calling thread: in a page, call this
 * from a worker.
 *
 * Throws an InvalidOptionError, or a BackendError if the provider cannot start. Methods reject with a BackendError that has
 * the model's name and ONNX Runtime's message, with a `reason` if memory ran out or the graphics device was lost (the next
 * call opens it again), a TensorError for feeds that do not fit, an AbortError, or a DisposedError.
 */
export async function createWebBackend(options: WebBackendOptions = {}): Promise<Backend> {
  checkWebOptions(options);
  const choice = await chooseProvider(options.provider, options.powerPreference);
  const { provider } = choice;
  const { runtime, warnings } = await startRuntime(provider, options.runtime, options).catch((error) => {
    choice.device?.destroy();
    throw error;
  });
  const sessions = new Set<Session>();
  let device: Device | undefined = choice.device;
  let disposing: Promise<void> | undefined;
  const disposedError = () => new DisposedError('The backend');

  const loader: Loader = {
    runtime,
    provider,
    async device() {
      if (disposing !== undefined) throw disposedError();
      if (device?.lost() !== undefined) device = await choice.openDevice?.();
      return device;
    },
    check() {
      if (disposing !== undefined) throw disposedError();
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
        await settleAll([...sessions].map((session) => session.dispose));
        device?.destroy();
      })();
      return disposing;
    },
  };
}

const optionTable: OptionTable<WebBackendOptions> = {
  provider: { type: providers.map((name) => `'${name}'`).join(' | '), text: 'The execution provider.' },
  threads: { type: 'number', text: 'Threads of the wasm provider.' },
  float16: { ...flag, text: 'Whether to compute in half precision.' },
  powerPreference: { ...oneOf('low-power', 'high-performance'), text: 'Which graphics card to request.' },
  runtime: { type: 'module | function', text: 'ONNX Runtime.' },
  wasmPaths: { type: 'string | object', text: 'Where its files are.' },
};

function checkWebOptions(options: WebBackendOptions): void {
  checkOptions(options, optionTable, { of: 'createWebBackend()' });
  const { provider, threads } = options;
  if (provider !== undefined && !providers.includes(provider)) {
    throw new InvalidOptionError('provider', `'${provider}' is not one of ${providers.join(', ')}.`);
  }
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new InvalidOptionError('threads', `must be an integer above 0, not ${show(threads)}.`);
  }
}
