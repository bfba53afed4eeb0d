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
  /** How many rows of the batch to run at once; all by default. A model exported for a fixed batch size uses that. */
  readonly rowsPerRun?: number;
}

/** An exported model on a backend, loaded on first use. */
export interface OnnxSession extends Required<StageResources> {
  /** Its inputs, except for the noise that it would draw itself. */
  readonly inputs: readonly TensorInfo[];
  /**
   * Runs it on a batch of n rows. Values are converted to its input types, and outputs to float32. Throws a TensorError
   * for an unknown, missing or misshapen input.
   */
  run(
    n: number,
    feeds: Readonly<Record<string, Tensor>>,
    options?: OnnxRunOptions,
  ): Promise<Record<string, Tensor<'float32'>>>;
}

/** Throws an UnsupportedError for operators that the provider lacks, and for input types that tensors here do not have. */
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
      { signal, outputs },
    );
    return Object.fromEntries(Object.entries(results).map(([key, value]) => [key, asFloat32(value)]));
  };

  return {
    inputs,
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async run(n, feeds, { rowsPerRun = n, ...options } = {}) {
      for (const [key, feed] of Object.entries(feeds)) {
        const input = all.find(({ name }) => name === key);
        if (input === undefined) {
          throw new TensorError(
            'bad-tensor',
            `${file.path} has no input ${key}. It takes ${inputs.map(described).join('; ')}.`,
          );
        }
        expectSizes(file.path, input, feed);
      }
      const count = typeof fixed === 'number' ? fixed : Math.min(n, rowsPerRun);
      if (count === n) return runOnce(feeds, options);
      const parts: Record<string, Tensor<'float32'>>[] = [];
      for (let start = 0; start < n; start += count) {
        const rows = Array.from({ length: count }, (_, i) => Math.min(start + i, n - 1));
        const selected = Object.entries(feeds).map(([key, feed]) => [key, selectRows(feed, n, rows)]);
        parts.push(await runOnce(Object.fromEntries(selected), options));
      }
      return batched(parts, n);
    },
  };
}

/** CPU providers widen float16 weights to float32. */
function loadedBytes({ weightBytes }: OnnxFile, { provider }: Backend): number {
  const widens = provider === 'cpu' || provider === 'wasm';
  return [...weightBytes].reduce((sum, [type, bytes]) => sum + (widens && type === 'float16' ? 2 * bytes : bytes), 0);
}

const described = ({ name, type, dims }: TensorInfo) => `${name}: ${type} [${dims.join(', ')}]`;

/** Throws a TensorError if a feed has another size than the model was exported for. */
function expectSizes(path: string, input: TensorInfo, { dims }: Tensor): void {
  // The batch is split to fit later.
  const fits = dims.every(
    (dim, axis) => axis === 0 || typeof input.dims[axis] !== 'number' || input.dims[axis] === dim,
  );
  if (input.dims.length === 0 || (fits && dims.length === input.dims.length)) return;
  throw new TensorError(
    'bad-tensor',
    `${path} takes ${described(input)}, not [${dims.join(', ')}]: it was exported for that size only, or is another kind of model.`,
  );
}

/** The given rows of a feed with n rows. A feed that all rows share stays as it is. */
function selectRows(feed: Tensor, n: number, rows: readonly number[]): Tensor {
  if (feed.dims.length === 0 || feed.dims[0] !== n) return feed;
  const size = feed.data.length / n;
  const part = tensor(feed.type, [rows.length, ...feed.dims.slice(1)]);
  // Both have the same type; float32 stands for all of them.
  const [from, to] = [feed.data as Float32Array, part.data as Float32Array];
  for (const [i, row] of rows.entries()) to.set(from.subarray(row * size, (row + 1) * size), i * size);
  return part;
}

/** The outputs of successive runs, concatenated and cut to n rows. */
function batched(parts: readonly Record<string, Tensor<'float32'>>[], n: number): Record<string, Tensor<'float32'>> {
  return Object.fromEntries(
    Object.entries(parts[0]).map(([key, { dims, data }]) => {
      const batch = tensor('float32', [n, ...dims.slice(1)]);
      parts.forEach((part, i) => {
        const room = batch.data.length - i * data.length;
        batch.data.set(part[key].data.subarray(0, room), i * data.length);
      });
      return [key, batch];
    }),
  );
}
