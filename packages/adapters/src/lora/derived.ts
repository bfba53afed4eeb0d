import { settleAll } from '@sd/core';
import { bytesOf, type Dtype, type TensorView, type WeightsFile } from '@sd/weights';
import { toNumbers } from './number-types.js';

/** Computes a tensor's values from those of others. */
export type Compute = (...values: readonly Float32Array[]) => Float32Array;

/** A float32 tensor that is computed from others of a file when a graph is loaded. */
export function derivedView(
  file: WeightsFile,
  shape: readonly number[],
  from: readonly TensorView[],
  compute: Compute,
): TensorView {
  const name = `from ${from.map((view) => view.name).join(', ')}`;
  return {
    name,
    dtype: 'F32',
    shape,
    offset: 0,
    length: shape.reduce((size, n) => size * n, bytesOf.F32),
    file: {
      location: `${file.path}/${name}`,
      async read(signal) {
        const values = compute(...(await settleAll(from.map((view) => () => readValues(file, view, signal)))));
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      },
    },
  };
}

/** The values of a tensor. Only its bytes are read if the file can be read in parts. */
export async function readValues(
  { source, path }: WeightsFile,
  { file, offset, length, dtype }: TensorView,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const end = offset + length;
  const inPlace = source.size !== undefined && (file.path !== undefined || file.location === path);
  const bytes = inPlace
    ? await source.read(path, { start: offset, end }, signal)
    : (await file.read(signal)).subarray(offset, end);
  return toNumbers(dtype, bytes);
}

/** A file in which every tensor has a type that graphs take: others are converted when a graph is loaded. */
export function withGraphTypes(file: WeightsFile): WeightsFile {
  const isGraphType = (dtype: Dtype) => dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
  const tensors = [...file.tensors].map(([name, view]): [string, TensorView] => [
    name,
    isGraphType(view.dtype) ? view : { ...derivedView(file, view.shape, [view], (values) => values), name: view.name },
  ]);
  return { ...file, tensors: new Map(tensors) };
}
