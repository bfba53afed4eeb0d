import { type ByteRange, CheckpointError, type Source, SourceError, type WeightFile } from '@sd/core';

/** A file of a source; a graph may also read a part of it. */
export interface SourceFile extends WeightFile {
  readRange(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

export function isSourceFile(file: WeightFile): file is SourceFile {
  return 'readRange' in file;
}

/** A whole file for graphs to point into: mapped if it is on disk, otherwise read. */
export async function weightFile(source: Source, path: string, fileSize: number): Promise<SourceFile> {
  const realPath = await source.realPath?.(path);
  const place = realPath === undefined ? { location: path } : { location: withoutRoot(realPath), path: realPath };
  return {
    ...place,
    async read(signal) {
      const bytes = await source.read(path, undefined, signal);
      if (bytes.length !== fileSize) throw changed(path, fileSize, bytes.length);
      return bytes;
    },
    readRange: (start, end, signal) => readRange(source, path, { start, end }, signal),
    async check() {
      const size = await sizeNow(source, path);
      if (size !== undefined && size !== fileSize) throw changed(path, fileSize, size);
    },
  };
}

async function readRange(source: Source, path: string, { start, end }: ByteRange, signal: AbortSignal | undefined) {
  const bytes = await source.read(path, { start, end }, signal);
  if (bytes.length !== end - start) throw changed(path, end, start + bytes.length);
  return bytes;
}

/** Bytes `start` to `end` of a file, converted when a graph is loaded: for weights that no graph can read in place. */
export function convertedFile(
  source: Source,
  path: string,
  { name, start, end }: { readonly name: string; readonly start: number; readonly end: number },
  convert: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): WeightFile {
  return {
    location: `${path}/${name}`,
    read: async (signal) => convert(await readRange(source, path, { start, end }, signal)),
    async check() {
      const size = await sizeNow(source, path);
      if (size !== undefined && size < end) throw changed(path, end, size);
    },
  };
}

/** A file's size; undefined if the source cannot tell without reading the file. */
async function sizeNow(source: Source, path: string): Promise<number | undefined> {
  if (source.size === undefined) return undefined;
  const size = await source.size(path);
  if (size === undefined) throw new SourceError('not-found', path, `${path} was moved or deleted. Put it back.`);
  return size;
}

function changed(path: string, expected: number, actual: number): CheckpointError {
  return new CheckpointError(
    'bad-checkpoint',
    path,
    `changed from ${expected} to ${actual} bytes. Load the model again.`,
  );
}

/** ONNX locations must be relative, so the backend provides the root and the location is the rest. */
function withoutRoot(path: string): string {
  return path
    .replace(/^[A-Za-z]:/, '')
    .replaceAll('\\', '/')
    .replace(/^\/+/, '');
}
