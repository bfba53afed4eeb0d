import { type Source, UnsupportedError } from '@sd/core';
import type { PickleFile } from './pickle/open.js';
import { openSafetensors, type SafetensorsFile } from './safetensors/file.js';
import type { TensorView } from './safetensors/tensor-view.js';
import { float8ToHalf, isFloat8 } from './safetensors/widen.js';
import { convertedFile } from './weight-file.js';

/**
 * Opens a file of weights of any kind that is read: safetensors, or what torch saved (`.ckpt`, `.pt`, `.pth`, `.bin`).
 * The first bytes say which; its name does not matter. Tensors are not read yet. 8-bit floats become half-precision ones
 * when a graph is loaded. Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function openWeights(source: Source, path: string): Promise<SafetensorsFile> {
  if (path.endsWith('.safetensors') || !(await isTorchFile(source, path))) {
    const { tensors, metadata } = await openSafetensors(source, path);
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

/** In a file with 8-bit floats, each tensor becomes a file of its own: what is not mapped must be read, and only what is needed. */
function widened(
  source: Source,
  path: string,
  tensors: ReadonlyMap<string, TensorView>,
): ReadonlyMap<string, TensorView> {
  if (![...tensors.values()].some(({ dtype }) => isFloat8(dtype))) return tensors;
  const scaled = [...tensors.keys()].find((name) => /(^|\.)(scaled_fp8|scale_weight|weight_scale)$/.test(name));
  if (scaled !== undefined) {
    throw new UnsupportedError(`${path}: its 8-bit floats have scales (${scaled}), which this version does not read.`);
  }
  return new Map([...tensors].map(([name, view]) => [name, apart(source, path, view)]));
}

function apart(source: Source, path: string, view: TensorView): TensorView {
  const { name, dtype, offset, length } = view;
  const range = { name, start: offset, end: offset + length };
  if (!isFloat8(dtype)) {
    return { ...view, file: convertedFile(source, path, range, (bytes) => bytes), offset: 0 };
  }
  const file = convertedFile(source, path, range, (bytes) => float8ToHalf(dtype, bytes));
  return { ...view, dtype: 'F16', file, offset: 0, length: 2 * length };
}
