import { SourceError } from './errors.js';
import type { Source } from './source.js';

/** Bytes of the longest text of a model, such as a vocabulary or a config. T5's vocabulary has 2.5 MB. */
const longest = 2 ** 26;

/**
 * A file of text, such as a config or a vocabulary. Throws a SourceError for a file of more than 64 MiB,
 * without reading it if the source can tell its size.
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
    `${path} has ${size} bytes, more than any config or vocabulary: the limit is ${longest}.`,
  );
}
