import { type Source, SourceError } from '@sd/core';

/** A source over files in memory. Text and bytes are given as they are, anything else as JSON. */
export function folderOf(files: Readonly<Record<string, unknown>>, folder = 'tokenizer'): Source {
  return {
    name: 'a folder in memory',
    async read(path) {
      const name = path.slice(folder.length + 1);
      if (path !== `${folder}/${name}` || !(name in files)) {
        throw new SourceError('not-found', path, `${path} is missing.`);
      }
      const file = files[name];
      if (file instanceof Uint8Array) return file;
      return new TextEncoder().encode(typeof file === 'string' ? file : JSON.stringify(file));
    },
  };
}
