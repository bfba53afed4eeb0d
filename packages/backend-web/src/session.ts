import {
  checkFeeds,
  checkOutputs,
  DisposedError,
  type Model,
  type ModelHints,
  type Session,
  type TensorInfo,
  throwIfAborted,
  toTensorInfo,
  untilAborted,
} from '@sd/core';
import type * as Ort from 'onnxruntime-web';
import type { WebProvider } from './choice.js';
import { explained } from './failures.js';
import type { Device } from './gpu.js';
import type { Runtime } from './runtime.js';
import { copied, described, type Feeds, toPlainTensor } from './tensors.js';
import { expectRoom, type MountedFile, readWeights } from './weights.js';

/** What a session needs from its backend. */
export interface Loader {
  readonly runtime: Runtime;
  readonly provider: WebProvider;
  /** The graphics device, reopened if it was lost; undefined for wasm. */
  device(): Promise<Device | undefined>;
  /** Throws a DisposedError if the backend is disposed. */
  check(): void;
}

/** An ONNX Runtime session, and the device that holds its weights. */
interface Opened {
  readonly session: Ort.InferenceSession;
  readonly device: Device | undefined;
  release(): Promise<void>;
}

/** Loads a model. If its device is lost later, the next run loads it again. */
export async function createSession(loader: Loader, model: Model, signal: AbortSignal | undefined): Promise<Session> {
  const { runtime } = loader;
  const first = await open(loader, model, signal);
  let opened = Promise.resolve(first);
  let disposing: Promise<void> | undefined;
  let inputs: TensorInfo[];
  let outputs: TensorInfo[];
  try {
    inputs = toTensorInfo(model.name, described(first.session.inputMetadata));
    outputs = toTensorInfo(model.name, described(first.session.outputMetadata));
  } catch (error) {
    await first.release();
    throw error;
  }

  const check = () => {
    loader.check();
    if (disposing !== undefined) throw new DisposedError(`The session of ${model.name}`);
  };

  /** The session, loaded again if its device was lost. */
  async function current(): Promise<Opened> {
    const previous = opened;
    const { device, release } = await previous;
    if (device?.lost() !== undefined && opened === previous) {
      opened = release().then(() => open(loader, model, undefined));
      // After a failure, the next run tries again.
      opened.catch(() => {
        opened = previous;
      });
    }
    return opened;
  }

  async function run(feeds: Feeds, requested: readonly string[] | undefined, signal: AbortSignal | undefined) {
    const { session, device } = await current();
    const { ort } = runtime;
    const inputs = Object.fromEntries(
      feeds.map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]),
    );
    return runtime.inTurn(async () => {
      check();
      throwIfAborted(signal);
      try {
        const action = () => (requested === undefined ? session.run(inputs) : session.run(inputs, requested));
        const results = await (device === undefined ? action() : device.withErrorScopes(action));
        return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, toPlainTensor(result)]));
      } catch (error) {
        throw explained(model.name, error, await lossOf(device));
      }
    });
  }

  return {
    inputs,
    outputs,
    async run(feeds, { signal, outputs: requested } = {}) {
      check();
      throwIfAborted(signal);
      checkFeeds(model.name, inputs, feeds);
      checkOutputs(model.name, outputs, requested);
      return untilAborted(run(copied(feeds), requested, signal), signal);
    },
    async dispose() {
      disposing ??= opened.then(({ release }) => release(), ignore);
      await disposing;
    },
  };
}

async function open(loader: Loader, model: Model, signal: AbortSignal | undefined): Promise<Opened> {
  const { runtime, provider } = loader;
  loader.check();
  // On WebGPU the weights go to the device, not into WebAssembly memory.
  const held = provider === 'wasm' ? (model.hints?.weightBytes ?? 0) : 0;
  if (provider === 'wasm') expectRoom(model, runtime);
  runtime.held += held;
  let creating: Promise<Ort.InferenceSession> | undefined;
  try {
    const device = await loader.device();
    creating = create(loader, model, device, await readWeights(model, signal), signal);
    const session = await untilAborted(creating, signal);
    let released: Promise<void> | undefined;
    return {
      session,
      device,
      release() {
        released ??= releaseSession(runtime, session).then(() => {
          runtime.held -= held;
        });
        return released;
      },
    };
  } catch (error) {
    runtime.held -= held;
    // A session that finishes loading after an abort must be released.
    creating?.then((session) => releaseSession(runtime, session), ignore);
    throw error;
  }
}

function create(
  loader: Loader,
  model: Model,
  device: Device | undefined,
  externalData: readonly MountedFile[],
  signal: AbortSignal | undefined,
): Promise<Ort.InferenceSession> {
  const { ort, inTurn } = loader.runtime;
  return inTurn(async () => {
    loader.check();
    throwIfAborted(signal);
    const options = { ...sessionOptions(device, model.hints), externalData };
    const action = () => ort.InferenceSession.create(model.graph, options);
    try {
      return await (device === undefined ? action() : device.withErrorScopes(action));
    } catch (error) {
      throw explained(model.name, error, await lossOf(device));
    }
  });
}

function sessionOptions(
  device: Device | undefined,
  { compact = false, precise = [] }: ModelHints = {},
): Ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [device === undefined ? 'wasm' : gpuProvider(device, precise)],
    // ONNX Runtime throws everything that it would log as an error.
    logSeverityLevel: 4,
    // Layout optimization doubles the memory of 16-bit convolution weights during loading.
    graphOptimizationLevel: compact ? 'extended' : 'all',
  };
}

/** Cast, since ONNX Runtime's type refers to WebGPU types that TypeScript's DOM library does not have. */
function gpuProvider(
  { device }: Device,
  precise: readonly string[],
): Ort.InferenceSession.WebGpuExecutionProviderOption {
  const options = { name: 'webgpu', device, ...(precise.length === 0 ? {} : { forceCpuNodeNames: [...precise] }) };
  return options as unknown as Ort.InferenceSession.WebGpuExecutionProviderOption;
}

/** The reason why the device was lost, or undefined. The loss may be reported shortly after the failure. */
async function lossOf(device: Device | undefined): Promise<string | undefined> {
  if (device === undefined) return undefined;
  await new Promise((resolve) => setTimeout(resolve, 0));
  return device.lost();
}

/** Ignores errors: a session that cannot be released, as after the loss of its device, is gone already. */
async function releaseSession({ inTurn }: Runtime, session: Ort.InferenceSession): Promise<void> {
  await inTurn(() => session.release()).catch(ignore);
}

function ignore(): void {}
