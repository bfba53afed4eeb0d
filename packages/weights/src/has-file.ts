import { type Source, SourceError } from '@sd/core';

/** Whether a source has a file. Throws a SourceError if that cannot be determined. */
export async function hasFile(source: Source, path: string): Promise<boolean> {
  if (source.size !== undefined) return (await source.size(path)) !== undefined;
  try {
    await source.read(path, { start: 0, end: 1 });
    return true;
  } catch (error) {
    if (error instanceof SourceError && error.code === 'not-found') return false;
    throw error;
  }
}
