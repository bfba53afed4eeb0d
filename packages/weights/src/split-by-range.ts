import type { Source } from '@sd/core';
import type { TensorView } from './safetensors/tensor-view.js';
import { convertedFile } from './weight-file.js';

/** Tensors no further apart than this, in bytes, are read together. */
const nearby = 2 ** 20;
/** Limit on a range, in bytes, so that it fits every runtime's buffers. */
const longestRange = 2 ** 30;

/**
 * Puts tensors of a file that cannot be mapped into smaller files, one for each range of neighbours, so that a model
 * inside a large file loads only its own bytes. Tensors of a file on disk stay as they are.
 */
export function splitByRange(
  source: Source,
  path: string,
  tensors: ReadonlyMap<string, TensorView>,
): ReadonlyMap<string, TensorView> {
  const unmapped = [...tensors].filter(([, { file }]) => file.path === undefined && file.location === path);
  if (unmapped.length === 0) return tensors;
  unmapped.sort(([, a], [, b]) => a.offset - b.offset);
  const ranges: { start: number; end: number; members: [string, TensorView][] }[] = [];
  for (const [name, view] of unmapped) {
    const end = view.offset + view.length;
    const range = ranges.at(-1);
    if (range === undefined || view.offset > range.end + nearby || end > range.start + longestRange) {
      ranges.push({ start: view.offset, end, members: [[name, view]] });
    } else {
      range.end = Math.max(range.end, end);
      range.members.push([name, view]);
    }
  }
  const result = new Map(tensors);
  for (const { start, end, members } of ranges) {
    const file = convertedFile(source, path, { name: `bytes-${start}`, start, end }, (bytes) => bytes);
    for (const [name, view] of members) result.set(name, { ...view, file, offset: view.offset - start });
  }
  return result;
}
