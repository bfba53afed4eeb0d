import { TensorError } from './errors.js';

/** The typed array for each tensor type. float16 is stored as its bits. */
export interface TensorData {
  float32: Float32Array;
  float16: Uint16Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
}

export type TensorType = keyof TensorData;

/** An array in row-major order. Any object with these members is a tensor. */
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

/** The number of values in a shape. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A tensor over `data`, without a copy, or of zeros. Throws a TensorError if the data does not fill the shape. */
export function tensor<T extends TensorType>(type: T, dims: readonly number[], data?: TensorData[T]): Tensor<T> {
  const size = sizeOf(dims);
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    throw new TensorError('bad-tensor', `A tensor cannot have the shape [${dims}].`);
  }
  if (data === undefined) return { type, dims, data: new arrays[type](size) as TensorData[T] };
  if (!(data instanceof arrays[type]) || data.length !== size) {
    throw new TensorError(
      'bad-tensor',
      `A ${type} tensor of shape [${dims}] needs a ${arrays[type].name} of ${size} values, not a ${data?.constructor.name} of ${data?.length}.`,
    );
  }
  return { type, dims, data };
}

/** Throws a TensorError unless `value` has this type and shape. -1 in `dims` matches any size; `what` names the value in the message. */
export function expectTensor<T extends TensorType>(
  what: string,
  value: Tensor,
  type: T,
  dims: readonly number[],
): asserts value is Tensor<T> {
  const fits = value.dims.length === dims.length && dims.every((dim, i) => dim === -1 || dim === value.dims[i]);
  if (value.type !== type || !fits || value.data.length !== sizeOf(value.dims)) {
    const expected = dims.map((dim) => (dim === -1 ? '*' : dim)).join(', ');
    throw new TensorError(
      'bad-tensor',
      `${what} must be ${type} [${expected}], not ${value.type} [${value.dims.join(', ')}] with ${value.data.length} values.`,
    );
  }
}

/** Throws a TensorError that gives the index if a value is NaN or infinite. */
export function expectFinite(what: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new TensorError('not-finite', `${what} is ${values[i]} at index ${i} of ${values.length}.`);
    }
  }
}

/** Stacks tensors of one shape into a batch: n tensors of shape [...] become one of [n, ...]. Throws a TensorError if they differ. */
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

/** Row i of a batch [n, ...] as a view of shape [...]. */
export function row(batch: Tensor<'float32'>, i: number): Tensor<'float32'> {
  const dims = batch.dims.slice(1);
  const size = sizeOf(dims);
  return tensor('float32', dims, batch.data.subarray(i * size, (i + 1) * size));
}
