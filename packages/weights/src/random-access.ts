import { type Source, SourceError } from '@sd/core';

/** A file of known size that can be read in ranges. */
export interface RandomAccess {
  readonly path: string;
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
}

/** Opens a file for reading in ranges. If the source cannot tell sizes, the file is read whole, once. Throws a SourceError if it is missing. */
export async function randomAccess(source: Source, path: string): Promise<RandomAccess> {
  if (source.size === undefined) {
    const bytes = await source.read(path);
    return { path, size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
  }
  const size = await source.size(path);
  if (size === undefined) throw new SourceError('not-found', path, `${path} does not exist.`);
  return {
    path,
    size,
    async read(start, end) {
      const bytes = await source.read(path, { start, end });
      if (bytes.length === end - start) return bytes;
      throw new SourceError(
        'read-failed',
        path,
        `${path} gave ${bytes.length} bytes where ${end - start} were asked for, from byte ${start} of ${size}. Read it again.`,
      );
    },
  };
}
