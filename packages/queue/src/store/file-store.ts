import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidOptionError, show } from '@sd/core';
import type { Store } from './store.js';

/**
 * Keeps images as files in a folder, which all machines must share. A file's time of change is when it expires. Rejects with
 * an InvalidOptionError for a key that is no plain path, and as Node's `fs` does.
 */
export function fileStore(folder: string): Store {
  const fileOf = (key: string) => {
    if (/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(key)) return path.join(folder, key);
    throw new InvalidOptionError('key', `must be a path of letters, digits, -, _, . and /, not ${show(key)}.`);
  };
  return {
    async put(key, bytes, { ttlMs }) {
      const file = fileOf(key);
      await mkdir(path.dirname(file), { recursive: true });
      const unfinished = `${file}.${randomUUID()}.tmp`;
      try {
        await writeFile(unfinished, bytes);
        const expires = new Date(Date.now() + ttlMs);
        await utimes(unfinished, expires, expires);
        await rename(unfinished, file);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
    async get(key) {
      const file = fileOf(key);
      try {
        const { mtimeMs } = await stat(file);
        if (mtimeMs >= Date.now()) return await readFile(file);
        await rm(file, { force: true });
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
  };
}
