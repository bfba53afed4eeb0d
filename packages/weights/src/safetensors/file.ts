import { readerBarrier, type Source, SourceError } from '@sd/core';
import { weightFile } from '../weight-file.js';
import { type Header, headerLength, lengthBytes, parseHeader } from './header.js';
import type { TensorView } from './tensor-view.js';

/** An opened safetensors file: its tensors by name, none of them read yet. */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorView>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Opens a safetensors file: reads and checks its header.
 * Throws a SourceError if there is no such file, and a CheckpointError if its header is broken or contradicts the file.
 */
export function openSafetensors(source: Source, path: string): Promise<SafetensorsFile> {
  return readerBarrier('openSafetensors()', source, (source) => open(source, path));
}

async function open(source: Source, path: string): Promise<SafetensorsFile> {
  const { header, fileSize } = await readHeader(source, path);
  const file = await weightFile(source, path, fileSize);
  return {
    tensors: new Map(header.tensors.map((entry) => [entry.name, { ...entry, file }])),
    metadata: header.metadata,
  };
}

async function readHeader(source: Source, path: string): Promise<{ header: Header; fileSize: number }> {
  if (source.size === undefined) {
    const bytes = await source.read(path);
    const length = headerLength(path, bytes.subarray(0, lengthBytes), bytes.length);
    const json = bytes.subarray(lengthBytes, lengthBytes + length);
    return { header: parseHeader(path, json, bytes.length), fileSize: bytes.length };
  }
  const fileSize = await source.size(path);
  if (fileSize === undefined) throw new SourceError('not-found', path, `${path} does not exist.`);
  const start = await source.read(path, { start: 0, end: Math.min(lengthBytes, fileSize) });
  const length = headerLength(path, start, fileSize);
  const json = await source.read(path, { start: lengthBytes, end: lengthBytes + length });
  return { header: parseHeader(path, json, fileSize), fileSize };
}
