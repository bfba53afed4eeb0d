import { CheckpointError, sizeOf, type WeightFile } from '@sd/core';
import { bytesOf, type Dtype } from './dtype.js';

/** A tensor of a checkpoint: not its values, but where they lie. */
export interface TensorView {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly file: WeightFile;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** The file holds the matrix's columns one after the other, not its rows. */
  readonly transposed?: boolean;
}

/** A matrix with rows and columns exchanged, in place. */
export function transposeView(view: TensorView): TensorView {
  return { ...view, shape: view.shape.toReversed(), transposed: view.transposed !== true };
}

/** The same bytes under another shape of as many values: a 1 x 1 convolution [out, in, 1, 1] as a matrix [out, in]. */
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

/** Rows `start` up to, not including, `end` of a tensor's first axis, in place. */
export function sliceView(view: TensorView, start: number, end: number): TensorView {
  if (view.transposed === true)
    throw new RangeError(`${view.name}: the rows of a transposed matrix are not in one place.`);
  const rowBytes = sizeOf(view.shape.slice(1)) * bytesOf[view.dtype];
  return {
    ...view,
    name: `${view.name}[${start}:${end}]`,
    shape: [end - start, ...view.shape.slice(1)],
    offset: view.offset + start * rowBytes,
    length: (end - start) * rowBytes,
  };
}
