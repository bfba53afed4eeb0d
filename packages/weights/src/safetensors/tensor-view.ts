import { CheckpointError, sizeOf, type WeightFile } from '@sd/core';
import { bytesOf, type Dtype } from './dtype.js';

/** A tensor of a checkpoint: not its values, but where they are. */
export interface TensorView {
  readonly name: string;
  readonly dtype: Dtype;
  /** The type that the file has, if another: the values are converted when they are read. */
  readonly stored?: string;
  readonly shape: readonly number[];
  readonly file: WeightFile;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** True if the file stores the matrix column by column. */
  readonly transposed?: boolean;
  /** A tensor of as many values, to be added to these when a graph is loaded. */
  readonly plus?: TensorView;
}

/** Whether a value of a pickle is a tensor. */
export function isTensorView(value: unknown): value is TensorView {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'file' in value;
}

/** The transpose of a matrix, without copying. */
export function transposeView(view: TensorView): TensorView {
  return { ...view, shape: view.shape.toReversed(), transposed: view.transposed !== true };
}

/** The same values in another shape of the same size: a 1 x 1 convolution [out, in, 1, 1] as a matrix [out, in]. */
export function reshapeView(view: TensorView, shape: readonly number[]): TensorView {
  if (sizeOf(shape) !== sizeOf(view.shape)) {
    throw new CheckpointError(
      'misshapen-tensor',
      view.file.location,
      `the tensor ${view.name} of shape [${view.shape}] cannot be read as [${shape}].`,
      { tensor: view.name },
    );
  }
  return { ...view, shape };
}

/** Rows `start` (inclusive) to `end` (exclusive) of a tensor's first axis, without copying. */
export function sliceView(view: TensorView, start: number, end: number): TensorView {
  if (view.transposed === true)
    throw new RangeError(`${view.name}: the rows of a transposed matrix are not contiguous.`);
  const rowBytes = sizeOf(view.shape.slice(1)) * bytesOf[view.dtype];
  return {
    ...view,
    name: `${view.name}[${start}:${end}]`,
    shape: [end - start, ...view.shape.slice(1)],
    offset: view.offset + start * rowBytes,
    length: (end - start) * rowBytes,
    ...(view.plus && { plus: sliceView({ ...view.plus, shape: view.shape }, start, end) }),
  };
}
