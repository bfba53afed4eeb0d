import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { AbortError, linkSignals, messageOf, SdError, SourceError, untilAborted } from '@sd/core';
import { commitOf, filesOf, type HubFile } from './api.js';
import { type CachedRepo, cachedRepo, exists, filesIn } from './cache-layout.js';
import { downloadBlob, isFull } from './download.js';
import { type HubName, hubUrl } from './name.js';
import { HubUnreachable, hubFetch } from './request.js';
import { type HubOptions, type HubSettings, hubSettings } from './settings.js';

/** Bytes of all files that were asked for so far. */
export interface HubProgress {
  /** The file that changed. */
  readonly path: string;
  readonly loaded: number;
  /** Known once all files are asked for: a pipeline asks for those of all its stages at once. */
  readonly total: number;
}

export interface OpenHubOptions extends HubOptions {
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

/** A commit of a repository on the hub, whose files are downloaded to the cache when they are first asked for. */
export interface HubRepo {
  /** The repository and its revision, for messages. */
  readonly name: string;
  readonly commit: string;
  /** The folder in the cache where its files are, or will be. */
  readonly folder: string;
  /** Paths of all its files; without a connection, of those in the cache. */
  paths(): Promise<readonly string[]>;
  /** A file's size in bytes; undefined if there is no such file. */
  size(file: string): Promise<number | undefined>;
  /** Downloads a file unless it is in the cache. False if there is no such file. */
  ensure(file: string, signal?: AbortSignal): Promise<boolean>;
}

/**
 * Opens a repository on the hub. Without a connection, or where `offline` is set, the cache is used. Throws a SourceError if
 * there is no such repository or revision, if it needs a login, or if it is not in the cache and cannot be reached.
 */
export async function openHubRepo(
  { repo, revision = 'main' }: Pick<HubName, 'repo' | 'revision'>,
  options: OpenHubOptions = {},
): Promise<HubRepo> {
  const settings = await hubSettings(options);
  const cached = cachedRepo(settings.cacheFolder, repo);
  const known = await cached.commitOf(revision);
  const api = {
    endpoint: settings.endpoint,
    repo,
    fetch: hubFetch({ ...options, ...settings, attempts: known === undefined ? undefined : 1 }),
  };
  const isFixed = known === revision;
  const commit = settings.offline || isFixed ? known : await orIfUnreachable(() => commitOf(api, revision), known);
  if (commit === undefined) throw notCached(repo, revision, settings);
  const name = `${repo}${revision === 'main' ? '' : `@${revision}`}`;
  return repoOf({ repo, revision, commit, isCached: commit === known, name, cached, settings, options, api });
}

interface Parts {
  readonly repo: string;
  readonly revision: string;
  readonly commit: string;
  /** Whether the cache has files of this commit. */
  readonly isCached: boolean;
  readonly name: string;
  readonly cached: CachedRepo;
  readonly settings: HubSettings;
  readonly options: OpenHubOptions;
  readonly api: Parameters<typeof commitOf>[0];
}

function repoOf(parts: Parts): HubRepo {
  const { commit, name, cached, settings, api } = parts;
  const folder = cached.snapshot(commit);
  const forgive = (error: unknown) => {
    if (error instanceof HubUnreachable && parts.isCached) return undefined;
    throw error;
  };
  const progress = progressOf(parts.options);
  let listed: Promise<ReadonlyMap<string, HubFile> | undefined> | undefined;
  /** Asked for once, and only if the cache does not have a file: undefined if the hub cannot be reached. */
  const list = () => {
    listed ??= settings.offline ? Promise.resolve(undefined) : filesOf(api, commit).catch(forgive);
    listed.catch(() => {
      listed = undefined;
    });
    return listed;
  };
  const working = new Map<string, Promise<void>>();
  const fetchFile = async (file: HubFile, signal: AbortSignal | undefined): Promise<void> => {
    const others = working.get(file.path);
    if (others === undefined) {
      const own = download(parts, file, signal, progress).finally(() => working.delete(file.path));
      working.set(file.path, own);
      return own;
    }
    // Whoever began it may give up; then it is this caller's to finish.
    const isAborted = await untilAborted(others, signal).then(
      () => false,
      (error) => error instanceof AbortError && !signal?.aborted && !parts.options.signal?.aborted,
    );
    return isAborted ? fetchFile(file, signal) : others;
  };
  return {
    name,
    commit,
    folder,
    paths: async () => [...((await list())?.keys() ?? (await filesIn(folder)))],
    async size(file) {
      const found = await stat(path.join(folder, file)).catch(() => undefined);
      return found?.isFile() ? found.size : (await list())?.get(file)?.size;
    },
    async ensure(file, signal) {
      if (await exists(path.join(folder, file))) return true;
      const entry = (await list())?.get(file);
      if (entry === undefined) return false;
      await fetchFile(entry, signal);
      return true;
    },
  };
}

/** Downloads a file and puts it into the snapshot. */
async function download(
  { repo, revision, commit, cached, settings, options }: Parts,
  file: HubFile,
  signal: AbortSignal | undefined,
  onBytes: (file: HubFile, loaded: number) => void,
): Promise<void> {
  const blob = cached.blob(file.hash);
  const link = linkSignals(options.signal, signal);
  onBytes(file, 0);
  try {
    if (!(await exists(blob))) {
      const { endpoint } = settings;
      await downloadBlob({
        endpoint,
        repo,
        revision,
        url: hubUrl({ repo, revision: commit, path: file.path }, endpoint),
        file,
        blob,
        lockFile: path.join(
          path.dirname(cached.folder),
          '.locks',
          path.basename(cached.folder),
          `${file.hash}.sd.lock`,
        ),
        fetch: hubFetch({ ...options, ...settings, signal: link.signal }),
        signal: link.signal,
        onBytes: (loaded) => onBytes(file, loaded),
      });
    }
    await mkdir(cached.snapshot(commit), { recursive: true });
    await cached.link(commit, file.path, file.hash);
    await cached.setCommit(revision, commit);
    onBytes(file, file.size);
  } catch (error) {
    throw SdError.isInstance(error) ? error : unwritable(file, settings, error);
  } finally {
    link.unlink();
  }
}

/** What the hub answers, or `otherwise` if it cannot be reached and that is known. */
async function orIfUnreachable<T>(ask: () => Promise<T>, otherwise: T | undefined): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HubUnreachable && otherwise !== undefined) return otherwise;
    throw error;
  }
}

function progressOf({ onProgress }: OpenHubOptions): (file: HubFile, loaded: number) => void {
  const files = new Map<string, { loaded: number; size: number }>();
  return ({ path: file, size }, bytes) => {
    files.set(file, { loaded: bytes, size });
    const sum = (key: 'loaded' | 'size') => [...files.values()].reduce((total, each) => total + each[key], 0);
    onProgress?.({ path: file, loaded: sum('loaded'), total: sum('size') });
  };
}

function notCached(repo: string, revision: string, { cacheFolder }: HubSettings): SourceError {
  const message = `${repo} at ${revision} is not in the cache ${cacheFolder}, and HF_HUB_OFFLINE or \`offline\` forbids downloading it.`;
  return new SourceError('not-found', repo, message);
}

function unwritable({ path: file, size }: HubFile, { cacheFolder }: HubSettings, cause: unknown): SourceError {
  const advice = isFull(cause)
    ? `The disk is full: it needs ${size} bytes. Free some (\`sd models\` lists what the cache holds)`
    : 'Check the permissions of the folder';
  const message = `${file} cannot be written to the cache ${cacheFolder}: ${messageOf(cause)}. ${advice}, or set HF_HUB_CACHE to another folder.`;
  return new SourceError('read-failed', file, message, { cause });
}
