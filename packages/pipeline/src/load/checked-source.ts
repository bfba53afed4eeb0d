import { callersCode, type Source, SourceError, withMethods } from '@sd/core';
import { describe } from '@sd/core/options';

/**
 * An application's source, with a check of what its methods resolve to, so that the readers of every format can rely on it:
 * bytes, not another package's buffer or text; a size that is a whole number; a path that is text. Anything else is a
 * SourceError.
 */
export function checkedSource(source: Source): Source {
  return withMethods(source, {
    async read(path, range, signal) {
      const bytes: unknown = await callersCode(() => source.read(path, range, signal));
      if (bytes instanceof Uint8Array) return bytes;
      throw wrong(path, 'read()', 'a Uint8Array', bytes);
    },
    async size(path) {
      const bytes: unknown = await callersCode(() => source.size!(path));
      if (bytes === undefined || (Number.isSafeInteger(bytes) && (bytes as number) >= 0)) {
        return bytes as number | undefined;
      }
      throw wrong(path, 'size()', 'a number of bytes, or undefined if there is no such file', bytes);
    },
    async realPath(path) {
      const real: unknown = await callersCode(() => source.realPath!(path));
      if (real === undefined || typeof real === 'string') return real;
      throw wrong(path, 'realPath()', 'a path, or undefined', real);
    },
  });
}

function wrong(path: string, method: string, expected: string, value: unknown): SourceError {
  const message = `The source's ${method} of ${path} must resolve to ${expected}, not ${describe(value)}.`;
  return new SourceError('read-failed', path, message);
}
