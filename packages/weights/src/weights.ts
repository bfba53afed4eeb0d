import type { Source } from '@sd/core';
import type { PickleFile } from './pickle/open.js';
import { openSafetensors, type SafetensorsFile } from './safetensors/file.js';

/**
 * Opens a file of weights: safetensors, or saved by torch (`.ckpt`, `.pt`, `.pth`, `.bin`). Unless it is named
 * `.safetensors`, its first bytes decide which. No tensor is read yet; 8-bit floats are widened to half precision when a
 * graph is loaded. Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function openWeights(source: Source, path: string): Promise<SafetensorsFile> {
  if (path.endsWith('.safetensors') || !(await isTorchFile(source, path))) {
    const { tensors, metadata } = await openSafetensors(source, path);
    if (![...tensors.values()].some(({ dtype }) => dtype.startsWith('F8_'))) return { tensors, metadata };
    const { widened } = await import('./safetensors/widened.js');
    return { tensors: widened(source, path, tensors), metadata };
  }
  const { tensors, value } = await openPickle(source, path);
  return { tensors, metadata: pickleMetadata(value) };
}

/**
 * Opens a file saved by torch (`.ckpt`, `.pt`, `.pth`, `.bin`): a zip with a pickle, or the older format from before
 * torch 1.6. Reads the pickle but no tensor. No code from the file runs: everything except tensors, plain containers and
 * numbers is refused.
 *
 * Throws a SourceError if there is no such file, and a CheckpointError if it is broken or truncated, or names a global
 * that is not data.
 */
export async function openPickle(source: Source, path: string): Promise<PickleFile> {
  return (await import('./pickle/open.js')).openPickle(source, path);
}

/** Top-level numbers and strings of a pickle, such as `global_step`, in the form of safetensors metadata. */
function pickleMetadata(value: unknown): Record<string, string> {
  const entries = value instanceof Map ? [...value] : [];
  return Object.fromEntries(
    entries.flatMap(([key, entry]) =>
      typeof key === 'string' && (typeof entry === 'number' || typeof entry === 'string') ? [[key, String(entry)]] : [],
    ),
  );
}

/** Whether the file begins like a zip or a pickle. A safetensors file has its header's opening brace at byte 8. */
export async function isTorchFile(source: Source, path: string): Promise<boolean> {
  const size = await source.size?.(path);
  const start = await source.read(path, size === undefined ? undefined : { start: 0, end: Math.min(9, size) });
  if (start[8] === '{'.charCodeAt(0)) return false;
  return (start[0] === 0x50 && start[1] === 0x4b) || (start[0] === 0x80 && start[1] <= 5);
}
