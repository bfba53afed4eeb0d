import path from 'node:path';
import { BackendError, type Model, throwIfAborted, untilAborted } from '@sd/core';
import type { PlacedWeights } from './protocol.js';

/**
 * Says how ONNX Runtime gets a model's weights. Where each file has a path that ends with its location, and all lie
 * under one folder, it maps them. Otherwise all are read: given bytes of one file, it looks for no other on the disk.
 */
export async function placeWeights(model: Model, signal: AbortSignal | undefined): Promise<PlacedWeights> {
  if (model.weights.length === 0) return { files: [] };
  const folder = commonFolder(model, path);
  if (folder !== undefined) return { folder };
  const files: { path: string; data: Uint8Array }[] = [];
  for (const file of model.weights) {
    throwIfAborted(signal);
    // A copy, since the worker takes it over and a source may keep what it returned.
    files.push({ path: file.location, data: new Uint8Array(await untilAborted(file.read(signal), signal)) });
  }
  return { files };
}

/** The folder that every location is relative to, or undefined where a file is not on disk under its location. */
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
    `${model.name}: its weights lie on ${drives.size} drives (${[...drives].join(', ')}), ` +
      'and one graph can use files of one drive only. Move them to one drive.',
  );
}
