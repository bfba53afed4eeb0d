import { CheckpointError, type Source, type WeightFile } from '@sd/core';

/** A whole file for graphs to point into: mapped if it is on disk, otherwise read. */
export async function weightFile(source: Source, path: string, fileSize: number): Promise<WeightFile> {
  const realPath = await source.realPath?.(path);
  const read = async (signal?: AbortSignal) => {
    const bytes = await source.read(path, undefined, signal);
    if (bytes.length !== fileSize) throw changed(path, fileSize, bytes.length);
    return bytes;
  };
  return realPath === undefined ? { location: path, read } : { location: withoutRoot(realPath), path: realPath, read };
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
    async read(signal?: AbortSignal) {
      const bytes = await source.read(path, { start, end }, signal);
      if (bytes.length !== end - start) throw changed(path, end, start + bytes.length);
      return convert(bytes);
    },
  };
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
