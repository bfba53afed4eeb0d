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
  show,
  type Tensor,
  throwIfAborted,
  toTensorInfo,
  type Warning,
} from '@sd/core';
import { checkOptions, flag, type OptionTable } from '@sd/core/options';
import type { Calls } from './protocol.js';
import { type Provider, providers } from './providers.js';
import { startMessage } from './start-message.js';
import { packFeeds } from './tensors.js';
import { placeWeights } from './weights.js';
import { CallFailure, createWorkerClient } from './worker-client.js';

export interface NodeBackendOptions {
  /** Threads inside one operator of the CPU provider. Default: ONNX Runtime's, one per physical core. */
  readonly threads?: number;
  /** The execution provider. If it is not available, that is an error; there is no fallback. Default: `cpu`. */
  readonly provider?: Provider;
  /**
   * Whether to compute in half precision, which the hardware must support; a graph's inputs and outputs stay float32. On
   * `cpu` it is slower, and useful only for comparison. Default: false.
   */
  readonly float16?: boolean;
  /**
   * The module to import as ONNX Runtime, with the exports of `onnxruntime-node`: a URL, an absolute path, or the name of a
   * package, resolved from this one. Default: `onnxruntime-node`.
   */
  readonly runtime?: string | URL;
  /**
   * Whether to run ONNX Runtime in a child process, for untrusted models: a graph that crashes ends that process and
   * not this one, and `dispose()`, `process.exit()` and `worker.terminate()` end it even within a native call. Inputs and
   * outputs are copied, and so are weights that are not on disk. Default: false.
   */
  readonly childProcess?: boolean;
  /**
   * With `childProcess`: milliseconds that loading a graph or one run may take, after which the process is ended. The first
   * includes its start. Default: no limit.
   */
  readonly timeLimit?: number;
}

const optionTable: OptionTable<NodeBackendOptions> = {
  threads: { type: 'number', text: 'Threads inside one operator.' },
  provider: { type: providers.map((name) => `'${name}'`).join(' | '), text: 'The execution provider.' },
  float16: { ...flag, text: 'Whether to compute in half precision.' },
  runtime: { type: 'string | URL', text: 'The module to import as ONNX Runtime.' },
  childProcess: { ...flag, text: 'Whether to run ONNX Runtime in a child process.' },
  timeLimit: { type: 'number', text: 'Milliseconds that one call may take.' },
};

/**
 * Creates a backend on onnxruntime-node. ONNX Runtime is imported and runs in a worker thread, started by the first `load`,
 * so that it does not block the main thread. The worker keeps the process alive only while calls are pending.
 *
 * ONNX Runtime maps weight files that have a `path` from disk. If any file of a model has none, all its files are read into
 * memory.
 *
 * Throws an InvalidOptionError. Methods reject with a BackendError that has the model's name and ONNX Runtime's message, a
 * TensorError for feeds that do not fit the graph's inputs, an AbortError, or a DisposedError.
 */
export function createNodeBackend(options: NodeBackendOptions = {}): Backend {
  checkOptions(options, optionTable, { of: 'createNodeBackend()' });
  const { threads, provider = 'cpu', float16 = false, childProcess = false, timeLimit } = options;
  if (!providers.includes(provider)) {
    throw new InvalidOptionError('provider', `'${provider}' is not one of ${providers.join(', ')}.`);
  }
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new InvalidOptionError('threads', `must be an integer above 0, not ${show(threads)}.`);
  }
  if (timeLimit !== undefined && !(childProcess && Number.isFinite(timeLimit) && timeLimit > 0)) {
    throw new InvalidOptionError(
      'timeLimit',
      `must be milliseconds above 0, with childProcess: true, not ${timeLimit}.`,
    );
  }
  const runtime = specifier(options.runtime ?? 'onnxruntime-node');
  const client = createWorkerClient({ runtime, provider, threads }, { childProcess, timeLimit });
  const disposedError = () => new DisposedError('The backend');
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
    if (disposing !== undefined) throw disposedError();
    if (provider !== 'webgpu') return;
    try {
      fusedAttention = (await client.call('start', {})).fusedAttention;
    } catch (error) {
      throw explain(`The provider '${provider}'`, error);
    }
  }

  async function load(model: Model, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Session> {
    if (disposing !== undefined) throw disposedError();
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
          onLateResult: release,
          signal,
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
      if (disposing !== undefined) throw disposedError();
      if (released !== undefined) throw new DisposedError(`The session of ${name}`);
    };
    return {
      inputs,
      outputs,
      async run(feeds: Readonly<Record<string, Tensor>>, { signal, outputs: requested }: RunOptions = {}) {
        check();
        throwIfAborted(signal);
        checkFeeds(name, inputs, feeds);
        checkOutputs(name, outputs, requested);
        const packed = packFeeds(feeds);
        try {
          return await client.call(
            'run',
            { session, feeds: packed.feeds, outputs: requested },
            { transfer: packed.buffers, check, signal },
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
      disposing ??= client.close(disposedError);
      return disposing;
    },
  };
}

const plainAttention: Warning = {
  code: 'plain-attention',
  message:
    "ONNX Runtime's fused attention gives wrong results on this graphics device, as it does with subgroups of fewer than 8 " +
    'invocations. Attention is computed with plain operators instead, which takes more time and memory.',
};

/** A specifier for `import()`, which on Windows accepts absolute paths only as URLs. */
function specifier(runtime: string | URL): string {
  if (runtime instanceof URL) return runtime.href;
  return path.isAbsolute(runtime) ? pathToFileURL(runtime).href : runtime;
}
