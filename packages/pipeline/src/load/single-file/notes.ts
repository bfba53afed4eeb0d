import type { Source } from '@sd/core';
import { toFloat32, type WeightsFile } from '@sd/weights';
import type { Family, FileNotes, SplitFile, Tensors } from '../../families/family.js';

interface OpenedFile {
  readonly source: Source;
  readonly weights: WeightsFile;
  readonly family: Family;
  readonly split: SplitFile;
  readonly prediction?: FileNotes['prediction'];
}

/** A file's statements about how its model was trained: its metadata, and marker tensors with their values. */
export async function fileNotes({ source, weights, family, split, prediction }: OpenedFile): Promise<FileNotes> {
  const { path, tensors, metadata } = weights;
  const markers = await readMarkers(source, path, tensors, family.file.markers);
  return { metadata, has: (name) => tensors.has(name), markers, split, prediction };
}

async function readMarkers(
  source: Source,
  path: string,
  tensors: Tensors,
  names: readonly string[] = [],
): Promise<FileNotes['markers']> {
  const markers = new Map<string, readonly number[]>();
  for (const name of names) {
    const found = tensors.get(name);
    if (found === undefined) continue;
    const { dtype, file, offset, length } = found;
    const isStored = file.path !== undefined || file.location === path;
    const bytes = isStored
      ? await source.read(path, { start: offset, end: offset + length })
      : (await file.read()).subarray(offset, offset + length);
    markers.set(name, [...toFloat32(dtype, bytes)]);
  }
  return markers;
}
