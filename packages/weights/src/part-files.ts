import type { Source } from '@sd/core';
import type { TensorView } from './safetensors/tensor-view.js';
import { convertedFile } from './weight-file.js';

/** Tensors that lie no further apart than this are read together. */
const nearby = 2 ** 20;
/** No part is longer, so that no runtime's buffer is too small for it. */
const longestPart = 2 ** 30;

/**
 * Some of a file's tensors, for where the file cannot be mapped: what lies together becomes a file of its own, so that
 * a model that is one part of a large file does not read all of it. Where the file is on a disk, they stay as they are.
 */
export function partFiles(
  source: Source,
  path: string,
  tensors: ReadonlyMap<string, TensorView>,
): ReadonlyMap<string, TensorView> {
  const loose = [...tensors].filter(([, { file }]) => file.path === undefined && file.location === path);
  if (loose.length === 0) return tensors;
  loose.sort(([, a], [, b]) => a.offset - b.offset);
  const parts: { start: number; end: number; members: [string, TensorView][] }[] = [];
  for (const [name, view] of loose) {
    const end = view.offset + view.length;
    const part = parts.at(-1);
    if (part === undefined || view.offset > part.end + nearby || end > part.start + longestPart) {
      parts.push({ start: view.offset, end, members: [[name, view]] });
    } else {
      part.end = Math.max(part.end, end);
      part.members.push([name, view]);
    }
  }
  const result = new Map(tensors);
  for (const { start, end, members } of parts) {
    const file = convertedFile(source, path, { name: `bytes-${start}`, start, end }, (bytes) => bytes);
    for (const [name, view] of members) result.set(name, { ...view, file, offset: view.offset - start });
  }
  return result;
}
