import { settleAll } from '@sd/core';
import { bytesOf, readValues, type TensorView, type WeightsFile } from '@sd/weights';

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
