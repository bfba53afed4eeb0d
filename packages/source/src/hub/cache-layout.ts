import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A repository in the hub's cache, in the layout of Python's `huggingface_hub`, so that both find each other's files:
 *
 *     models--owner--name/blobs/<hash>                     contents
 *     models--owner--name/refs/<revision>                  the commit that a branch or tag was at
 *     models--owner--name/snapshots/<commit>/<path>        a relative link to the contents
 */
export interface CachedRepo {
  readonly folder: string;
  snapshot(commit: string): string;
  blob(hash: string): string;
  /** The commit of a branch or tag when it was last asked for, or the revision if that is a commit in the cache. */
  commitOf(revision: string): Promise<string | undefined>;
  setCommit(revision: string, commit: string): Promise<void>;
  /** Puts contents, which are at `blob(hash)`, at a path of the commit's snapshot. */
  link(commit: string, file: string, hash: string): Promise<void>;
}

export function cachedRepo(cacheFolder: string, repo: string): CachedRepo {
  const folder = path.join(cacheFolder, `models--${repo.replaceAll('/', '--')}`);
  const snapshot = (commit: string) => path.join(folder, 'snapshots', commit);
  const ref = (revision: string) => path.join(folder, 'refs', ...revision.split('/'));
  const blob = (hash: string) => path.join(folder, 'blobs', hash);
  return {
    folder,
    snapshot,
    blob,
    async commitOf(revision) {
      const isCommit = /^[0-9a-f]{40}$/.test(revision);
      if (isCommit) return (await exists(snapshot(revision))) ? revision : undefined;
      const text = await readFile(ref(revision), 'utf8').catch(() => undefined);
      return text?.trim();
    },
    async setCommit(revision, commit) {
      if (revision === commit || (await readFile(ref(revision), 'utf8').catch(() => '')) === commit) return;
      await mkdir(path.dirname(ref(revision)), { recursive: true });
      await writeWhole(ref(revision), commit);
    },
    async link(commit, file, hash) {
      const pointer = path.join(snapshot(commit), file);
      await mkdir(path.dirname(pointer), { recursive: true });
      const target = path.relative(path.dirname(pointer), blob(hash));
      await symlink(target, pointer, 'file').catch(async (error) => {
        if (error.code === 'EEXIST') {
          // Another process was first, or the contents of an old link are gone.
          if (!(await exists(pointer))) await rm(pointer).then(() => symlink(target, pointer, 'file'));
          return;
        }
        // Windows allows links to administrators and developers only. The file then has no blob, as in Python.
        if (error.code !== 'EPERM' && error.code !== 'ENOSYS') throw error;
        await rename(blob(hash), pointer);
      });
    },
  };
}

/** Whether there is something; false for a link whose target is gone. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** Files and links in a folder at any depth, relative to it; none if there is no such folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(path.relative(folder, entry.parentPath), entry.name).replaceAll(path.sep, '/'));
}

/** Writes a small file whole or not at all. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, file);
}
