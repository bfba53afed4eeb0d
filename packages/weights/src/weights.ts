import { lazyImport, type Source } from '@sd/core';
import type { PickleFile } from './pickle/open.js';
import { openSafetensors } from './safetensors/file.js';
import type { TensorView } from './safetensors/tensor-view.js';

/** An opened file of weights: names, shapes and metadata. No tensor has been read. */
export interface WeightsFile {
  readonly source: Source;
  readonly path: string;
  /** Tensors by name, as graphs take them: 8-bit floats are views that turn into half-precision ones when they are read. */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** The same tensors with the types that the file stores. */
  readonly stored: ReadonlyMap<string, Pick<TensorView, 'dtype' | 'shape'>>;
  /** A safetensors file's metadata, or the numbers and texts at the top of a pickle, such as `global_step`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The whole of a file that torch saved, as plain data: dicts as Maps, tensors as views. */
  readonly pickled?: unknown;
}

/**
 * Opens a file of weights of any supported kind: safetensors, or what torch saves (`.ckpt`, `.pt`, `.pth`, `.bin`). The
 * first bytes decide, not the name. Reads the header alone. Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function openWeights(source: Source, path: string): Promise<WeightsFile> {
  if (await isTorchFile(source, path)) {
    const { tensors, value } = await openPickle(source, path);
    return { source, path, tensors, stored: tensors, metadata: metadataOf(value), pickled: value };
  }
  const { tensors: stored, metadata } = await openSafetensors(source, path);
  if (![...stored.values()].some(({ dtype }) => dtype.startsWith('F8_'))) {
    return { source, path, tensors: stored, stored, metadata };
  }
  const { widened } = await lazyImport(() => import('./safetensors/widened.js'));
  return { source, path, tensors: widened(source, path, stored), stored, metadata };
}

/**
 * Opens a `.ckpt`, `.pt`, `.pth` or `.bin` file that torch saved: a zip with a pickle, or the form before torch 1.6. Reads
 * the pickle and none of the tensors. No code of the file runs: anything but tensors, plain containers and numbers is
 * refused.
 *
 * Throws a SourceError where there is no such file, and a CheckpointError where it is broken, cut off, or refers to
 * something that is not data, which the message names.
 */
export async function openPickle(source: Source, path: string): Promise<PickleFile> {
  return (await lazyImport(() => import('./pickle/open.js'))).openPickle(source, path);
}

function metadataOf(pickled: unknown): Record<string, string> {
  const entries = pickled instanceof Map ? [...pickled] : [];
  return Object.fromEntries(
    entries.flatMap(([key, entry]) =>
      typeof key === 'string' && (typeof entry === 'number' || typeof entry === 'string') ? [[key, String(entry)]] : [],
    ),
  );
}

/** Whether the file begins as a zip or a pickle of protocol 2 or later. A safetensors file has its header's brace after eight bytes. */
export async function isTorchFile(source: Source, path: string): Promise<boolean> {
  const size = await source.size?.(path);
  const start = await source.read(path, size === undefined ? undefined : { start: 0, end: Math.min(9, size) });
  if (start[8] === '{'.charCodeAt(0)) return false;
  return (start[0] === 0x50 && start[1] === 0x4b) || (start[0] === 0x80 && start[1] <= 5);
}
