import { CheckpointError } from '@sd/core';
import type { TensorView } from './safetensors/tensor-view.js';

/** A file's tensors by name; only their shapes are read. */
export type TensorShapes = ReadonlyMap<string, Pick<TensorView, 'shape'>>;

/** Blocks are not nested deeper than this many parts of a name. */
const deepestBlock = 16;
const counts = new WeakMap<TensorShapes, ReadonlyMap<string, number>>();

/**
 * The number of blocks named `prefix` followed by an index, such as `down_blocks.0`, `down_blocks.1`, ... The prefix ends
 * with a dot. All blocks of a file are counted at once, since a file may have any number of them.
 */
export function countBlocks(tensors: TensorShapes, prefix: string): number {
  const known = counts.get(tensors) ?? countAllBlocks(tensors);
  counts.set(tensors, known);
  return known.get(prefix) ?? 0;
}

function countAllBlocks(tensors: TensorShapes): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  const seen = new Set<string>();
  for (const name of tensors.keys()) {
    for (let start = 0, part = 0; part < deepestBlock; part++) {
      const dot = name.indexOf('.', start);
      const end = dot < 0 ? name.length : dot;
      const block = name.slice(0, end);
      if (/^\d+$/.test(name.slice(start, end)) && !seen.has(block)) {
        seen.add(block);
        const prefix = name.slice(0, start);
        result.set(prefix, (result.get(prefix) ?? 0) + 1);
      }
      if (dot < 0) break;
      start = dot + 1;
    }
  }
  return result;
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

/** The shape of the first tensor whose name matches; undefined if there is none. */
export function shapeMatching(tensors: TensorShapes, name: RegExp): readonly number[] | undefined {
  for (const [key, { shape }] of tensors) if (name.test(key)) return shape;
  return undefined;
}

/** The number of different values that the pattern's group has among the names. */
export function countMatching(tensors: TensorShapes, name: RegExp): number {
  return new Set([...tensors.keys()].flatMap((key) => name.exec(key)?.[1] ?? [])).size;
}
