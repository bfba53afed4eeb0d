import { parentPort, workerData } from 'node:worker_threads';
import type { ModelHints, RawTensorInfo, Tensor } from '@sd/core';
import { messageOf } from '@sd/core';
import type * as Ort from 'onnxruntime-node';
import { isAttentionRight } from './attention-check.js';
import { throughGate } from './native-gate.js';
import type { Calls, Failure, Reply, Request, WorkerSetup } from './protocol.js';

if (parentPort === null) throw new Error('This module must run in a worker.');
const port = parentPort;
const setup = workerData as WorkerSetup;
const sessions = new Map<number, Ort.InferenceSession>();

// Python: g = make_graph([make_node('Identity', ['x'], ['y'])], '', [x], [y]), both float32 [1]; opset 17, IR version 8.
const identity = 'CAg6NgoQCgF4EgF5IghJZGVudGl0eRIAWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEQ==';

/** A minimal graph. */
const probeGraph = (): Uint8Array => new Uint8Array(Buffer.from(identity, 'base64'));

class StartFailure extends Error {
  constructor(
    readonly stage: 'runtime' | 'provider',
    text: string,
    readonly supported?: readonly string[],
  ) {
    super(text);
  }
}

function sessionOptions(
  config: Record<string, string> = {},
  { repeated = true, compact = false, precise = [] }: ModelHints = {},
): Ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [
      setup.provider === 'webgpu' && precise.length > 0
        ? { name: setup.provider, forceCpuNodeNames: [...precise] }
        : setup.provider,
    ],
    // ONNX Runtime throws everything that it would log as an error.
    logSeverityLevel: 4,
    ...(setup.threads === undefined ? {} : { intraOpNumThreads: setup.threads }),
    // Layout optimization doubles the memory of 16-bit convolution weights during loading.
    graphOptimizationLevel: compact ? 'extended' : 'all',
    enableCpuMemArena: repeated,
    // Plans all activations as one block: no faster, and takes as much memory again.
    enableMemPattern: false,
    // Each session has its own threads, which would go on spinning while another session runs.
    extra: { session: { force_spinning_stop: '1', ...config } },
  };
}

/** The default is written out, so that bundlers and Next's file tracing find it; others are not theirs to find. */
const importRuntime = () =>
  setup.runtime === 'onnxruntime-node'
    ? import('onnxruntime-node')
    : import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ setup.runtime);

async function start(): Promise<typeof Ort> {
  let ort: typeof Ort;
  try {
    const module = await importRuntime();
    ort = 'InferenceSession' in module ? module : module.default;
    ort.env.logLevel = 'fatal';
  } catch (error) {
    throw new StartFailure('runtime', messageOf(error));
  }
  if (setup.provider === 'cpu') return ort;
  const supported = ort.listSupportedBackends?.().map((backend) => backend.name);
  try {
    // Loading a one-node graph distinguishes a provider that cannot start from a model that it cannot load.
    await throughGate(setup.gate, async () => {
      const probe = await ort.InferenceSession.create(probeGraph(), sessionOptions());
      await probe.release();
    });
  } catch (error) {
    throw new StartFailure('provider', messageOf(error), supported);
  }
  return ort;
}

let started: Promise<typeof Ort> | undefined;
const runtime = () => {
  started ??= start();
  return started;
};

/** The check runs only once. */
let attentionRight: Promise<boolean> | undefined;
const checkAttention = async (): Promise<boolean> => {
  const ort = await runtime();
  if (setup.provider !== 'webgpu') return true;
  return throughGate(setup.gate, () => isAttentionRight(ort, sessionOptions()));
};

const describe = (values: readonly Ort.InferenceSession.ValueMetadata[]): RawTensorInfo[] =>
  values.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, dims: value.shape.map((dim) => (dim === '' ? '?' : dim)) }
      : { name: value.name, type: 'not a tensor', dims: [] },
  );

async function load({ session: id, graph, weights, hints }: Calls['load']['request']): Promise<Calls['load']['reply']> {
  const ort = await runtime();
  const options =
    'folder' in weights
      ? sessionOptions({ model_external_initializers_file_folder_path: weights.folder }, hints)
      : { ...sessionOptions({}, hints), externalData: [...weights.files] };
  const session = await throughGate(setup.gate, () => ort.InferenceSession.create(graph, options));
  sessions.set(id, session);
  return { inputs: describe(session.inputMetadata), outputs: describe(session.outputMetadata) };
}

async function run({
  session: id,
  feeds,
  outputs: requested,
}: Calls['run']['request']): Promise<Record<string, Tensor>> {
  const ort = await runtime();
  const inputs: Record<string, Ort.Tensor> = {};
  for (const [name, { type, data, dims }] of Object.entries(feeds)) inputs[name] = new ort.Tensor(type, data, dims);
  const session = sessions.get(id)!;
  const outputs = await throughGate(setup.gate, () =>
    requested === undefined ? session.run(inputs) : session.run(inputs, requested),
  );
  return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, toPlainTensor(output)]));
}

/** An output in a separate buffer that can be transferred; float16 as bits, even if there is a Float16Array. */
function toPlainTensor({ type, dims, data }: Ort.Tensor): Tensor {
  let values = data as Tensor['data'];
  if (type === 'float16') values = new Uint16Array(values.buffer, values.byteOffset, values.length);
  if (values.byteLength !== values.buffer.byteLength) values = values.slice();
  return { type, dims: [...dims], data: values } as Tensor;
}

async function release({ session: id }: Calls['release']['request']): Promise<undefined> {
  const session = sessions.get(id);
  sessions.delete(id);
  if (session !== undefined) await throughGate(setup.gate, () => session.release());
}

async function close(): Promise<undefined> {
  for (const id of [...sessions.keys()]) await release({ session: id });
}

async function handle(request: Request): Promise<[Reply, ArrayBuffer[]]> {
  try {
    switch (request.call) {
      case 'start':
        attentionRight ??= checkAttention();
        return [{ value: { fusedAttention: await attentionRight } }, []];
      case 'load':
        return [{ value: await load(request) }, []];
      case 'run': {
        const value = await run(request);
        return [{ value }, Object.values(value).map(({ data }) => data.buffer as ArrayBuffer)];
      }
      case 'release':
        return [{ value: await release(request) }, []];
      case 'close':
        return [{ value: await close() }, []];
    }
  } catch (error) {
    const failure: Failure =
      error instanceof StartFailure
        ? { stage: error.stage, text: error.message, supported: error.supported }
        : { stage: 'call', text: messageOf(error) };
    return [{ failure }, []];
  }
}

/** Ends this thread. In Deno, it is a web worker, whose port cannot be closed. */
function end(): void {
  if (typeof port.close === 'function') port.close();
  else (globalThis as unknown as { close(): void }).close();
}

port.on('message', async (request: Request) => {
  const [reply, transfer] = await handle(request);
  port.postMessage(reply, transfer);
  if (request.call === 'close') end();
});
