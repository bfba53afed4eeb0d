import { type Source, SourceError } from '@sd/core';

/** A source of text files in memory. */
export function textSource(name: string, texts: ReadonlyMap<string, string>): Source {
  const bytesOf = (path: string) => {
    const text = texts.get(path);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  };
  return {
    name,
    async read(path, range) {
      const bytes = bytesOf(path);
      if (bytes === undefined) throw new SourceError('not-found', path, `${name} has no ${path}.`);
      return bytes.subarray(range?.start, range?.end);
    },
    size: async (path) => bytesOf(path)?.length,
  };
}

/** A source that reads each path from the source that `choose` returns for it. */
export function chosenSource(name: string, choose: (path: string) => Source): Source {
  return {
    name,
    read: (path, range) => choose(path).read(path, range),
    async size(path) {
      const source = choose(path);
      return source.size === undefined ? (await source.read(path)).length : source.size(path);
    },
    realPath: async (path) => choose(path).realPath?.(path),
  };
}
