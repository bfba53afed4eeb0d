import type { Source } from '@sd/core';
import type { PickleFile } from './pickle/open.js';
import { openSafetensors, type SafetensorsFile } from './safetensors/file.js';

/**
 * Opens a file of weights of any kind that is read: safetensors, or what torch saved (`.ckpt`, `.pt`, `.pth`, `.bin`).
 * The first bytes say which; its name does not matter. Tensors are not read yet. 8-bit floats become half-precision ones
 * when a graph is loaded. Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function openWeights(source: Source, path: string): Promise<SafetensorsFile> {
  if (path.endsWith('.safetensors') || !(await isTorchFile(source, path))) {
    const { tensors, metadata } = await openSafetensors(source, path);
    if (![...tensors.values()].some(({ dtype }) => dtype.startsWith('F8_'))) return { tensors, metadata };
    const { widened } = await import('./safetensors/widened.js');
    return { tensors: widened(source, path, tensors), metadata };
  }
  const { tensors, value } = await openPickle(source, path);
  return { tensors, metadata: notes(value) };
}

/**
 * Opens a `.ckpt`, `.pt`, `.pth` or `.bin` file of torch's: a zip with a pickle, or what torch wrote before 1.6. Reads the
 * pickle, none of the tensors. No code of the file is run: whatever is no tensor, plain container or number is refused.
 *
 * Throws a SourceError where there is no such file, and a CheckpointError where it is broken, cut off, or asks for what
 * is not data, which it names.
 */
export async function openPickle(source: Source, path: string): Promise<PickleFile> {
  return (await import('./pickle/open.js')).openPickle(source, path);
}

/** Numbers and texts at the top of a pickle, such as `global_step`, in the form of a safetensors file's metadata. */
function notes(value: unknown): Record<string, string> {
  const entries = value instanceof Map ? [...value] : [];
  return Object.fromEntries(
    entries.flatMap(([key, entry]) =>
      typeof key === 'string' && (typeof entry === 'number' || typeof entry === 'string') ? [[key, String(entry)]] : [],
    ),
  );
}

/** Does it begin as a zip or a pickle of protocol 2? A safetensors file has its header's brace after eight bytes. */
export async function isTorchFile(source: Source, path: string): Promise<boolean> {
  const size = await source.size?.(path);
  const start = await source.read(path, size === undefined ? undefined : { start: 0, end: Math.min(9, size) });
  if (start[8] === '{'.charCodeAt(0)) return false;
  return (start[0] === 0x50 && start[1] === 0x4b) || (start[0] === 0x80 && start[1]! <= 5);
}
