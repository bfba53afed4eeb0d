import { CheckpointError } from '@sd/core';
import type { TensorView } from './safetensors/tensor-view.js';

/** A file's tensors by name; only their shapes are read. */
export type TensorShapes = ReadonlyMap<string, Pick<TensorView, 'shape'>>;

/** The number of blocks named `prefix` followed by an index, such as `down_blocks.0`, `down_blocks.1`, ... */
export function countBlocks(tensors: TensorShapes, prefix: string): number {
  const found = new Set<string>();
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix)) continue;
    const [index] = name.slice(prefix.length).split('.', 1);
    if (/^\d+$/.test(index)) found.add(index);
  }
  return found.size;
}

/** The size of one axis of a tensor. Throws a CheckpointError that names the tensor if the file at `path` lacks it. */
export function axisSize(path: string, tensors: TensorShapes, name: string, axis: number): number {
  const size = tensors.get(name)?.shape[axis];
  if (size !== undefined) return size;
  throw new CheckpointError('missing-tensor', path, `has no tensor ${name}, which its shape follows from.`, {
    tensor: name,
  });
}

/** `[0, 1, ..., length - 1]`. */
export const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
