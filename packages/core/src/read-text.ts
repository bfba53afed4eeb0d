import { SourceError } from './errors.js';
import type { Source } from './source.js';

/** Bytes of the longest text of a model, such as a vocabulary or a config. T5's vocabulary has 2.5 MB. */
const longest = 2 ** 26;

/**
 * A file of text, such as a config or a vocabulary. Throws a SourceError for one of more than 64 MiB, which is no such file;
 * a source that can tell sizes is then not asked for it.
 */
export async function readText(source: Source, path: string): Promise<Uint8Array> {
  const size = await source.size?.(path);
  if (size !== undefined && size > longest) throw tooLong(path, size);
  const bytes = await source.read(path);
  if (bytes.length > longest) throw tooLong(path, bytes.length);
  return bytes;
}

function tooLong(path: string, size: number): SourceError {
  return new SourceError(
    'read-failed',
    path,
    `${path} has ${size} bytes, more than a config or vocabulary of any model: ${longest} are the limit.`,
  );
}
