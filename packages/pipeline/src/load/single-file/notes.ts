import { readValues, type WeightsFile } from '@sd/weights';
import type { Family, FileNotes, SplitFile } from '../../families/family.js';

interface OpenedFile {
  readonly weights: WeightsFile;
  readonly family: Family;
  readonly split: SplitFile;
  readonly prediction?: FileNotes['prediction'];
}

/** A file's statements about how its model was trained: its metadata, and marker tensors with their values. */
export async function fileNotes({ weights, family, split, prediction }: OpenedFile): Promise<FileNotes> {
  const { tensors, metadata } = weights;
  const markers = await readMarkers(weights, family.file.markers);
  return { metadata, has: (name) => tensors.has(name), markers, split, prediction };
}

async function readMarkers(weights: WeightsFile, names: readonly string[] = []): Promise<FileNotes['markers']> {
  const markers = new Map<string, readonly number[]>();
  for (const name of names) {
    const view = weights.tensors.get(name);
    if (view !== undefined) markers.set(name, [...(await readValues(weights, view))]);
  }
  return markers;
}
