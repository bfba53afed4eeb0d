import { TensorError } from './errors.js';

/** The typed array that holds a tensor's values. float16 is kept as its bits. */
export interface TensorData {
  float32: Float32Array;
  float16: Uint16Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
}

export type TensorType = keyof TensorData;

/** An array in row-major order. A plain object: anything with these members will do. */
export interface Tensor<T extends TensorType = TensorType> {
  readonly type: T;
  readonly dims: readonly number[];
  readonly data: TensorData[T];
}

const arrays = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
} as const;

/** How many values a shape holds. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A tensor over `data`, not copied; zeros where no data is given. Throws a TensorError if the data does not fill the shape. */
export function tensor<T extends TensorType>(type: T, dims: readonly number[], data?: TensorData[T]): Tensor<T> {
  const size = sizeOf(dims);
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new TensorError('bad-tensor', `A tensor cannot have the shape [${dims}].`);
  }
  if (data === undefined) return { type, dims, data: new arrays[type](size) as TensorData[T] };
  if (!(data instanceof arrays[type]) || data.length !== size) {
    throw new TensorError(
      'bad-tensor',
      `A ${type} tensor of shape [${dims}] wants a ${arrays[type].name} of ${size} values, not a ${data?.constructor.name} of ${data?.length}.`,
    );
  }
  return { type, dims, data };
}

/** Throws a TensorError unless `value` has the type and shape; -1 in `dims` stands for any size. `what` names it in the message. */
export function expectTensor<T extends TensorType>(
  what: string,
  value: Tensor,
  type: T,
  dims: readonly number[],
): asserts value is Tensor<T> {
  const fits = value.dims.length === dims.length && dims.every((dim, i) => dim === -1 || dim === value.dims[i]);
  if (value.type !== type || !fits || value.data.length !== sizeOf(value.dims)) {
    const wanted = dims.map((dim) => (dim === -1 ? '*' : dim)).join(', ');
    throw new TensorError(
      'bad-tensor',
      `${what} must be ${type} [${wanted}], not ${value.type} [${value.dims.join(', ')}] with ${value.data.length} values.`,
    );
  }
}

/** Throws a TensorError if a value is NaN or infinite, and says which. */
export function expectFinite(what: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new TensorError('not-finite', `${what} is ${values[i]} at index ${i} of ${values.length}.`);
    }
  }
}

/** Rows of equal shape as one batch: n tensors of shape [...] become one of [n, ...]. */
export function stack(rows: readonly Tensor<'float32'>[]): Tensor<'float32'> {
  const [first] = rows;
  if (first === undefined) throw new TensorError('bad-tensor', 'A batch needs at least one tensor.');
  const data = new Float32Array(rows.length * first.data.length);
  rows.forEach((row, i) => {
    expectTensor(`Tensor ${i} of a batch`, row, 'float32', first.dims);
    data.set(row.data, i * first.data.length);
  });
  return tensor('float32', [rows.length, ...first.dims], data);
}

/** One row of a batch as a view: row i of [n, ...] has the shape [...]. */
export function row(batch: Tensor<'float32'>, i: number): Tensor<'float32'> {
  const dims = batch.dims.slice(1);
  const size = sizeOf(dims);
  return tensor('float32', dims, batch.data.subarray(i * size, (i + 1) * size));
}
