import { CheckpointError, show, sizeOf } from '@sd/core';
import { bytesOf, type Dtype } from '../safetensors/dtype.js';
import type { TensorView } from '../safetensors/tensor-view.js';
import type { Storage } from './storage.js';

/** The arguments of torch's `_rebuild_tensor`, unchecked, as the pickle has them. */
export interface TensorArguments {
  readonly storage: unknown;
  readonly offset: unknown;
  readonly size: unknown;
  readonly stride: unknown;
  readonly dtype?: Dtype;
}

/** PyTorch's own limit. */
const mostAxes = 64;

export type TensorMaker = (args: TensorArguments) => TensorView;

/**
 * Makes tensors over a pickle's storages: in place if the tensor is contiguous, otherwise as a contiguous copy that is
 * made when a graph is loaded. Throws a CheckpointError for a tensor that is not inside its storage.
 */
export function tensorMaker(path: string, isStorage: (value: unknown) => value is Storage): TensorMaker {
  const bad = (problem: string) =>
    new CheckpointError('bad-checkpoint', path, `${problem}. Download or convert it again.`);
  return ({ storage, offset, size, stride, dtype: tensorDtype }) => {
    if (!isStorage(storage)) throw bad('one of its tensors has no storage');
    const dtype = tensorDtype ?? storage.dtype;
    const name = `${storage.key}+${show(offset)}`;
    if (dtype === undefined) throw bad(`the tensor at ${name} is of an unknown type`);
    if (!isSize(offset) || !isSizes(size) || !isSizes(stride) || size.length !== stride.length) {
      throw bad(`the tensor at ${name} has an invalid offset, size or stride`);
    }
    const count = sizeOf(size);
    const bytes = bytesOf[dtype];
    const last = count === 0 ? offset : offset + 1 + size.reduce((sum, n, axis) => sum + (n - 1) * stride[axis], 0);
    if (last * bytes > storage.length) throw bad(`the tensor at ${name} of shape [${size}] ends past its storage`);
    storage.use(last * bytes);
    const contiguous = isContiguous(size, stride);
    if (!contiguous && count * bytes > storage.length) throw bad(`the tensor at ${name} repeats its values`);
    const view = { name, dtype, shape: size, length: count * bytes };
    if (contiguous) return { ...view, file: storage.file, offset: storage.offset + offset * bytes };
    const file = storage.converted(`${name}.${stride.join('.')}`, (all) =>
      gather(all, { bytes, offset, size, stride }),
    );
    return { ...view, file, offset: 0 };
  };
}

/** True if the values are in row-major order without gaps. The stride of an axis of size 1 does not count. */
function isContiguous(size: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    if (size[axis] !== 1 && stride[axis] !== step) return sizeOf(size) === 0;
    step *= size[axis];
  }
  return true;
}

interface Layout {
  readonly bytes: number;
  readonly offset: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
}

function gather(all: Uint8Array, { bytes, offset, size, stride }: Layout): Uint8Array {
  const count = sizeOf(size);
  const result = new Uint8Array(count * bytes);
  const index = size.map(() => 0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    result.set(all.subarray(from * bytes, (from + 1) * bytes), to * bytes);
    for (let axis = size.length - 1; axis >= 0; axis--) {
      from += stride[axis];
      index[axis]++;
      if (index[axis] < size[axis]) break;
      from -= stride[axis] * size[axis];
      index[axis] = 0;
    }
  }
  return result;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= mostAxes && value.every(isSize);
}
