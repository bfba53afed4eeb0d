import path from 'node:path';
import { BackendError, type Model, throwIfAborted, untilAborted } from '@sd/core';
import type { PlacedWeights } from './protocol.js';

/**
 * Decides how ONNX Runtime gets a model's weights. If every file's path ends with its location and all are under one
 * folder, ONNX Runtime maps them. Otherwise all are read, since once given bytes it does not look for files on disk.
 */
export async function placeWeights(model: Model, signal: AbortSignal | undefined): Promise<PlacedWeights> {
  if (model.weights.length === 0) return { files: [] };
  const folder = commonFolder(model, path);
  if (folder !== undefined) return { folder };
  const files: { path: string; data: Uint8Array }[] = [];
  for (const file of model.weights) {
    throwIfAborted(signal);
    // A copy, since the buffer is transferred and the source may keep what it returned.
    files.push({ path: file.location, data: new Uint8Array(await untilAborted(file.read(signal), signal)) });
  }
  return { files };
}

/** The folder that every location is relative to; undefined if a file is not on disk at its location. */
export function commonFolder(model: Model, system: Pick<path.PlatformPath, 'sep' | 'parse'>): string | undefined {
  const folders = new Set<string>();
  for (const file of model.weights) {
    const suffix = file.location.split('/').join(system.sep);
    if (file.path === undefined || !file.path.endsWith(suffix)) return undefined;
    const folder = file.path.slice(0, -suffix.length);
    if (!folder.endsWith(system.sep)) return undefined;
    folders.add(folder);
  }
  if (folders.size <= 1) return [...folders][0];
  const drives = new Set([...folders].map((folder) => system.parse(folder).root.toLowerCase()));
  if (drives.size <= 1) return undefined;
  throw new BackendError(
    `${model.name}: its weights are on ${drives.size} drives (${[...drives].join(', ')}), ` +
      'but a graph can only use files of one drive. Move them to one drive.',
  );
}
