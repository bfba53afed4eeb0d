import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { SourceError } from '@sd/core';
import { cachedRepo, filesIn } from './cache-layout.js';
import { type HubOptions, hubSettings } from './settings.js';

/** A model in the hub's cache, whoever downloaded it. */
export interface CachedModel {
  /** `owner/name` */
  readonly repo: string;
  readonly folder: string;
  /** Bytes on the disk, those of unfinished downloads included. */
  readonly size: number;
  /** When one of its files was last read; some systems do not keep this. */
  readonly lastUsed: Date;
  readonly revisions: readonly CachedRevision[];
}

export interface CachedRevision {
  readonly commit: string;
  /** Branches and tags that were at this commit. */
  readonly names: readonly string[];
  /** How many of its files are there. */
  readonly files: number;
}

/**
 * The models in the cache, the largest first. None if there is no cache. In place of `scanCacheDir` of `@huggingface/hub`,
 * which leaves out what is in folders.
 */
export async function cachedModels(options: HubOptions = {}): Promise<CachedModel[]> {
  const { cacheFolder } = await hubSettings(options);
  const names = await readdir(cacheFolder).catch(() => []);
  const models = await Promise.all(
    names.filter((name) => /^models--.+/.test(name)).map((name) => modelIn(path.join(cacheFolder, name))),
  );
  return models.sort((a, b) => b.size - a.size);
}

async function modelIn(folder: string): Promise<CachedModel> {
  const within = async (name: string) => filesIn(path.join(folder, name));
  const blobs = await Promise.all((await within('blobs')).map((file) => stat(path.join(folder, 'blobs', file))));
  const refs = await Promise.all(
    (await within('refs')).map(async (name) => ({
      name,
      commit: await readFile(path.join(folder, 'refs', name), 'utf8'),
    })),
  );
  const commits = await readdir(path.join(folder, 'snapshots')).catch(() => []);
  const revisions = commits.map(async (commit) => ({
    commit,
    names: refs.filter((ref) => ref.commit.trim() === commit).map(({ name }) => name),
    files: (await within(path.join('snapshots', commit))).length,
  }));
  return {
    repo: path.basename(folder).slice('models--'.length).replaceAll('--', '/'),
    folder,
    size: blobs.reduce((sum, { size }) => sum + size, 0),
    lastUsed: new Date(Math.max(0, ...blobs.map(({ atimeMs }) => atimeMs))),
    revisions: await Promise.all(revisions),
  };
}

/**
 * Removes a model from the cache, with all its revisions. Resolves to the bytes that this freed. Throws a SourceError if the
 * cache does not have it.
 */
export async function removeCachedModel(repo: string, options: HubOptions = {}): Promise<number> {
  const { cacheFolder } = await hubSettings(options);
  const { folder } = cachedRepo(cacheFolder, repo);
  const isInside = path.dirname(folder) === cacheFolder;
  const found = isInside ? await stat(folder).catch(() => undefined) : undefined;
  if (!found?.isDirectory()) {
    throw new SourceError(
      'not-found',
      repo,
      `${repo} is not in the cache ${cacheFolder}. \`sd models\` lists what is.`,
    );
  }
  const { size } = await modelIn(folder);
  await rm(folder, { recursive: true });
  await rm(path.join(cacheFolder, '.locks', path.basename(folder)), { recursive: true, force: true });
  return size;
}
