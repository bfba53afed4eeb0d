import { lazyImport, readerBarrier, type Source, UnsupportedError } from '@sd/core';
import { fileFormat } from './file-format.js';
import type { PickleFile } from './pickle/open.js';
import { isGraphType } from './safetensors/dtype.js';
import { openSafetensors } from './safetensors/file.js';
import type { TensorView } from './safetensors/tensor-view.js';
import { unwrapped } from './wrapped-names.js';

/** An opened file of weights: names, shapes and metadata. No tensor has been read. */
export interface WeightsFile {
  readonly source: Source;
  readonly path: string;
  /** Tensors by name, as graphs take them: those of other types are views that are converted when they are read. */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** The same tensors with the types that the file stores. */
  readonly stored: ReadonlyMap<string, { readonly dtype: string; readonly shape: readonly number[] }>;
  /** Metadata of a safetensors or GGUF file, or the numbers and strings at the top of a pickle, such as `global_step`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The whole of a file that torch saved, as plain data: dicts as Maps, tensors as views. */
  readonly pickled?: unknown;
}

/**
 * Opens a weights file of any supported kind, by its first bytes: safetensors, GGUF, or a file saved by torch.
 * Reads the header alone.
 *
 * Throws a SourceError if there is no such file, a CheckpointError for one that is broken or is not weights at all, and an
 * UnsupportedError for quantized weights; both say what the file is.
 */
export function openWeights(source: Source, path: string): Promise<WeightsFile> {
  return readerBarrier('openWeights()', source, (source) => openFile(source, path));
}

async function openFile(source: Source, path: string): Promise<WeightsFile> {
  const format = await fileFormat(source, path);
  if (format === 'onnx') {
    throw new UnsupportedError(`${path} is an ONNX model: a graph, not weights alone.`);
  }
  if (format === 'torch') {
    const { openPickle } = await lazyImport(() => import('./pickle/open.js'));
    const { tensors, value } = await openPickle(source, path, { forGraphs: true });
    const named = unwrapped(tensors);
    return { source, path, tensors: named, stored: storedOf(named), metadata: metadataOf(value), pickled: value };
  }
  if (format === 'gguf') {
    const { openGguf } = await lazyImport(() => import('./gguf/open.js'));
    const { tensors, metadata } = await openGguf(source, path);
    return { source, path, tensors, stored: storedOf(tensors), metadata };
  }
  const { tensors: stored, metadata } = await openSafetensors(source, path);
  const tensors = await forGraphs(path, unwrapped(stored));
  return { source, path, tensors, stored: storedOf(tensors), metadata };
}

/** The types that the file has. */
function storedOf(tensors: ReadonlyMap<string, TensorView>): WeightsFile['stored'] {
  return new Map([...tensors].map(([name, { shape, dtype, stored = dtype }]) => [name, { dtype: stored, shape }]));
}

/** The tensors as graphs take them. */
async function forGraphs(
  path: string,
  stored: ReadonlyMap<string, TensorView>,
): Promise<ReadonlyMap<string, TensorView>> {
  if ([...stored.values()].every(({ dtype }) => isGraphType(dtype))) return stored;
  const { graphView, refuseQuantized } = await lazyImport(() => import('./graph-view.js'));
  refuseQuantized(path, stored.keys());
  return new Map([...stored].map(([name, view]) => [name, graphView(name, view)]));
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
