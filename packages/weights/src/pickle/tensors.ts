import { CheckpointError, sizeOf, type WeightFile } from '@sd/core';
import { bytesOf, type Dtype } from '../safetensors/dtype.js';
import type { TensorView } from '../safetensors/tensor-view.js';
import { float8ToHalf, isFloat8 } from '../safetensors/widen.js';

/** Values that one or several tensors lie in. */
export interface Storage {
  readonly key: string;
  /** Undefined where each tensor says it for itself. */
  readonly dtype: Dtype | undefined;
  /** The file that it lies in, its first byte there, and its bytes. */
  readonly file: WeightFile;
  readonly offset: number;
  readonly length: number;
  /** A file of what `convert` makes of the storage's bytes, read when a graph is loaded. */
  converted(name: string, convert: (bytes: Uint8Array) => Uint8Array): WeightFile;
}

/** The arguments of torch's `_rebuild_tensor`, as a pickle gives them: unchecked. */
export interface TensorArguments {
  readonly storage: unknown;
  readonly offset: unknown;
  readonly size: unknown;
  readonly stride: unknown;
  readonly dtype?: Dtype;
}

export type TensorMaker = (args: TensorArguments) => TensorView;

/**
 * Makes tensors over the storages of a pickle: in place where the values lie in order, else as a copy that is made when
 * a graph is loaded. Throws a CheckpointError for one that does not lie inside its storage.
 */
export function tensorMaker(path: string, isStorage: (value: unknown) => value is Storage): TensorMaker {
  const bad = (problem: string) =>
    new CheckpointError('bad-checkpoint', path, `${problem}. Download or convert it again.`);
  return ({ storage, offset, size, stride, dtype: own }) => {
    if (!isStorage(storage)) throw bad('one of its tensors has no storage');
    const dtype = own ?? storage.dtype;
    const name = `${storage.key}+${String(offset)}`;
    if (dtype === undefined) throw bad(`the tensor at ${name} has a type that is not known`);
    if (!isSize(offset) || !isSizes(size) || !isSizes(stride) || size.length !== stride.length) {
      throw bad(`the tensor at ${name} has no whole shape`);
    }
    const count = sizeOf(size);
    const bytes = bytesOf[dtype];
    const last = count === 0 ? offset : offset + 1 + size.reduce((sum, n, axis) => sum + (n - 1) * stride[axis]!, 0);
    if (last * bytes > storage.length) throw bad(`the tensor at ${name} of shape [${size}] ends past its storage`);
    const whole = inOrder(size, stride);
    if (!whole && count * bytes > storage.length) throw bad(`the tensor at ${name} repeats its values`);
    if (whole && !isFloat8(dtype)) {
      const place = { file: storage.file, offset: storage.offset + offset * bytes, length: count * bytes };
      return { name, dtype, shape: size, ...place };
    }
    const file = storage.converted(`${name}.${stride.join('.')}`, (all) => {
      const values = gather(all, { bytes, offset, size, stride });
      return isFloat8(dtype) ? float8ToHalf(dtype, values) : values;
    });
    const type = isFloat8(dtype) ? 'F16' : dtype;
    return { name, dtype: type, shape: size, file, offset: 0, length: count * bytesOf[type] };
  };
}

/** Do the values lie one after the other, the last axis first? Where there is but one place, its stride says nothing. */
function inOrder(size: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    if (size[axis] !== 1 && stride[axis] !== step) return sizeOf(size) === 0;
    step *= size[axis]!;
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
      from += stride[axis]!;
      index[axis]!++;
      if (index[axis]! < size[axis]!) break;
      from -= stride[axis]! * size[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
