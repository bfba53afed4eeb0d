import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type Backend,
  BackendError,
  checkFeeds,
  checkOutputs,
  DisposedError,
  InvalidOptionError,
  type Model,
  type RunOptions,
  type Session,
  type Tensor,
  throwIfAborted,
  toTensorInfo,
  type Warning,
} from '@sd/core';
import type { Calls } from './protocol.js';
import { type Provider, providers } from './providers.js';
import { startMessage } from './start-message.js';
import { packFeeds } from './tensors.js';
import { placeWeights } from './weights.js';
import { CallFailure, createWorkerClient } from './worker-client.js';

export interface NodeBackendOptions {
  /** Threads inside one operator of the CPU provider. Default: ONNX Runtime's, one for each physical core. */
  readonly threads?: number;
  /** The execution provider. One that is not available is an error, never replaced by another. Default: `cpu`. */
  readonly provider?: Provider;
  /**
   * Compute in half precision, for which the provider's hardware must have it; what goes in and out of a graph stays
   * float32. On `cpu` it is slower, and of use to compare with. Default: false.
   */
  readonly float16?: boolean;
  /**
   * The module to import as ONNX Runtime, with the exports of `onnxruntime-node`: a URL, an absolute path, or a package,
   * which is looked up from this one. Default: `onnxruntime-node`.
   */
  readonly runtime?: string | URL;
}

/**
 * A backend on onnxruntime-node. ONNX Runtime is imported and runs in one worker thread, started by the first `load`,
 * so that the main thread's event loop goes on; it keeps the process alive only while calls are pending.
 *
 * Weights whose files have a `path` are mapped from disk by ONNX Runtime. If one file of a model has none, all files of
 * that model are read into memory.
 *
 * Throws an InvalidOptionError. Its methods reject with a BackendError that has the model's name and ONNX Runtime's
 * text, a TensorError for feeds that do not fit the graph's inputs, an AbortError, or a DisposedError.
 */
export function createNodeBackend(options: NodeBackendOptions = {}): Backend {
  const { threads, provider = 'cpu', float16 = false } = options;
  if (!providers.includes(provider)) {
    throw new InvalidOptionError('provider', `'${provider}' is none of ${providers.join(', ')}.`);
  }
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new InvalidOptionError('threads', `must be a whole number from 1 up, not ${threads}.`);
  }
  const runtime = specifier(options.runtime ?? 'onnxruntime-node');
  const client = createWorkerClient({ runtime, provider, ...(threads === undefined ? {} : { threads }) });
  const gone = () => new DisposedError('The backend');
  let fusedAttention = true;
  let disposing: Promise<void> | undefined;
  let count = 0;

  const explain = (model: string, error: unknown): unknown => {
    if (!(error instanceof CallFailure)) return error;
    const { failure } = error;
    return new BackendError(
      failure.stage === 'call' ? `${model}: ${failure.text}` : startMessage(runtime, provider, failure),
    );
  };

  async function ready(): Promise<void> {
    if (disposing !== undefined) throw gone();
    if (provider !== 'webgpu') return;
    try {
      fusedAttention = (await client.call('start', {})).fusedAttention;
    } catch (error) {
      throw explain(`The provider '${provider}'`, error);
    }
  }

  async function load(model: Model, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Session> {
    if (disposing !== undefined) throw gone();
    throwIfAborted(signal);
    const weights = await placeWeights(model, signal);
    const graph = new Uint8Array(model.graph);
    const transfer = [graph, ...('files' in weights ? weights.files.map(({ data }) => data) : [])];
    count += 1;
    const id = count;
    const release = () => client.call('release', { session: id }).catch(() => undefined);
    let loaded: Calls['load']['reply'];
    try {
      loaded = await client.call(
        'load',
        { session: id, graph, weights, hints: model.hints ?? {} },
        {
          transfer: transfer.map(({ buffer }) => buffer as ArrayBuffer),
          late: release,
          ...(signal === undefined ? {} : { signal }),
        },
      );
    } catch (error) {
      throw explain(model.name, error);
    }
    try {
      return createSession(model.name, id, loaded, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  function createSession(
    name: string,
    session: number,
    loaded: Calls['load']['reply'],
    release: () => Promise<undefined>,
  ): Session {
    const inputs = toTensorInfo(name, loaded.inputs);
    const outputs = toTensorInfo(name, loaded.outputs);
    let released: Promise<undefined> | undefined;
    const check = () => {
      if (disposing !== undefined) throw gone();
      if (released !== undefined) throw new DisposedError(`The session of ${name}`);
    };
    return {
      inputs,
      outputs,
      async run(feeds: Readonly<Record<string, Tensor>>, { signal, outputs: wanted }: RunOptions = {}) {
        check();
        throwIfAborted(signal);
        checkFeeds(name, inputs, feeds);
        checkOutputs(name, outputs, wanted);
        const packed = packFeeds(feeds);
        try {
          return await client.call(
            'run',
            { session, feeds: packed.feeds, ...(wanted === undefined ? {} : { outputs: wanted }) },
            { transfer: packed.buffers, check, ...(signal === undefined ? {} : { signal }) },
          );
        } catch (error) {
          throw explain(name, error);
        }
      },
      async dispose() {
        released ??= release();
        await released;
      },
    };
  }

  return {
    provider,
    get features() {
      return { float16, fusedAttention };
    },
    get warnings() {
      return fusedAttention ? [] : [plainAttention];
    },
    ready,
    load,
    dispose() {
      disposing ??= client.close(gone);
      return disposing;
    },
  };
}

const plainAttention: Warning = {
  code: 'plain-attention',
  message:
    'The fused attention of ONNX Runtime gives wrong numbers on this graphics device, as where its subgroups have fewer ' +
    'than 8 invocations. Attention is computed from plain operators, which takes longer and more memory.',
};

/** What `import()` takes: of an absolute path on Windows, it takes the URL only. */
function specifier(runtime: string | URL): string {
  if (runtime instanceof URL) return runtime.href;
  return path.isAbsolute(runtime) ? pathToFileURL(runtime).href : runtime;
}
