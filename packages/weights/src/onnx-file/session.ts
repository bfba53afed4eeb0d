import {
  type Backend,
  lazySession,
  type ModelHints,
  type RunOptions,
  type StageResources,
  type Tensor,
  TensorError,
  type TensorInfo,
  tensor,
  toTensorInfo,
} from '@sd/core';
import { asFloat32, castTensor } from './cast.js';
import type { OnnxFile } from './open.js';
import { expectOperators } from './operators.js';

export interface OnnxRunOptions extends RunOptions {
  /** How many rows of a batch run at once; all, if left out. A model that was exported for a fixed number takes that many. */
  readonly atOnce?: number;
}

/** An exported model on a backend, loaded at first use. */
export interface OnnxSession extends Required<StageResources> {
  /** What it takes, without the noise that it would draw. */
  readonly inputs: readonly TensorInfo[];
  /**
   * Runs it on a batch of n rows: values are put into the types that it takes, and its outputs are float32. Throws a
   * TensorError for what it does not take, or that is missing.
   */
  run(
    n: number,
    feeds: Readonly<Record<string, Tensor>>,
    options?: OnnxRunOptions,
  ): Promise<Record<string, Tensor<'float32'>>>;
}

/** Throws an UnsupportedError for operators that the provider has not, and for types of inputs that no tensor has. */
export function onnxSession(backend: Backend, file: OnnxFile, name: string, hints: ModelHints = {}): OnnxSession {
  expectOperators(file.path, file.operators, backend.provider);
  const inputs = toTensorInfo(file.path, file.inputs);
  const all = [...inputs, ...toTensorInfo(file.path, file.noises)];
  const session = lazySession(backend, file.model(name, { ...hints, weightBytes: loadedBytes(file, backend) }));
  const fixed = inputs.find(({ dims }) => dims.length >= 2)?.dims[0];

  const runOnce = async (feeds: Readonly<Record<string, Tensor>>, { signal, outputs }: RunOptions) => {
    const results = await session.run(
      Object.fromEntries(
        all.map((input) => {
          const feed = feeds[input.name];
          if (feed === undefined) throw new TensorError('bad-tensor', `${file.path} needs ${described(input)}.`);
          return [input.name, castTensor(feed, input.type)];
        }),
      ),
      { ...(signal && { signal }), ...(outputs && { outputs }) },
    );
    return Object.fromEntries(Object.entries(results).map(([key, value]) => [key, asFloat32(value)]));
  };

  return {
    inputs,
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async run(n, feeds, { atOnce = n, ...options } = {}) {
      for (const [key, feed] of Object.entries(feeds)) {
        const input = all.find((one) => one.name === key);
        if (input === undefined) {
          throw new TensorError(
            'bad-tensor',
            `${file.path} has no input ${key}. It takes ${inputs.map(described).join('; ')}.`,
          );
        }
        expectSizes(file.path, input, feed);
      }
      const count = typeof fixed === 'number' ? fixed : Math.min(n, atOnce);
      if (count === n) return runOnce(feeds, options);
      const parts: Record<string, Tensor<'float32'>>[] = [];
      for (let start = 0; start < n; start += count) {
        const rows = Array.from({ length: count }, (_, i) => Math.min(start + i, n - 1));
        const some = Object.entries(feeds).map(([key, feed]) => [key, ofRows(feed, n, rows)]);
        parts.push(await runOnce(Object.fromEntries(some), options));
      }
      return batched(parts, n);
    },
  };
}

/** Weights in half precision are widened where nothing computes in it. */
function loadedBytes({ weightBytes }: OnnxFile, { provider }: Backend): number {
  const widens = provider === 'cpu' || provider === 'wasm';
  return [...weightBytes].reduce((sum, [type, bytes]) => sum + (widens && type === 'float16' ? 2 * bytes : bytes), 0);
}

const described = ({ name, type, dims }: TensorInfo) => `${name}: ${type} [${dims.join(', ')}]`;

/** A model may be exported for one size alone. */
function expectSizes(path: string, input: TensorInfo, { dims }: Tensor): void {
  // The rows of a batch are counted out later.
  const fits = dims.every(
    (dim, axis) => axis === 0 || typeof input.dims[axis] !== 'number' || input.dims[axis] === dim,
  );
  if (input.dims.length === 0 || (fits && dims.length === input.dims.length)) return;
  throw new TensorError(
    'bad-tensor',
    `${path} takes ${described(input)}, not [${dims.join(', ')}]: it was exported for that size alone, or is of another kind of model.`,
  );
}

/** Rows of what has n of them; what has one or none for all stays. */
function ofRows(feed: Tensor, n: number, rows: readonly number[]): Tensor {
  if (feed.dims.length === 0 || feed.dims[0] !== n) return feed;
  const size = feed.data.length / n;
  const part = tensor(feed.type, [rows.length, ...feed.dims.slice(1)]);
  // One of the types, for the compiler: both are of the same.
  const [from, to] = [feed.data as Float32Array, part.data as Float32Array];
  for (const [i, row] of rows.entries()) to.set(from.subarray(row * size, (row + 1) * size), i * size);
  return part;
}

/** The first n rows of what parts gave, one after the other. */
function batched(parts: readonly Record<string, Tensor<'float32'>>[], n: number): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    Object.entries(parts[0]!).map(([key, { dims, data }]) => {
      const whole = tensor('float32', [n, ...dims.slice(1)]);
      parts.forEach((part, i) => {
        const room = whole.data.length - i * data.length;
        whole.data.set(part[key]!.data.subarray(0, room), i * data.length);
      });
      return [key, whole];
    }),
  );
}
