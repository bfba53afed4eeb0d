import {
  type ByteRange,
  barrier,
  callersCode,
  InvalidOptionError,
  type Source,
  SourceError,
  show,
  type Warning,
} from '@sd/core';
import { openCacheStore } from './chunk-store.js';
import type { HttpOptions } from './http.js';
import type { RemoteFile } from './readers.js';
import { openRemote } from './remote-file.js';

export interface DownloadProgress {
  /** Path of the file in the folder. */
  readonly path: string;
  /** Bytes received so far, from the server or the cache. */
  readonly loaded: number;
  /** Bytes in the whole file; a model may need only some of them. */
  readonly size: number;
}

export interface OpenUrlOptions extends HttpOptions {
  /**
   * Whether to cache downloads in the browser's Cache storage, for reloads and offline use. By default true if there is
   * one; Node has none.
   */
  readonly cache?: boolean;
  /** Called as bytes arrive. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Expected SHA-256 hashes, in hexadecimal, by path. Such a file is read whole before any of it is used. */
  readonly integrity?: Readonly<Record<string, string>>;
}

export interface UrlSource extends Source {
  /** Path of the file, if the URL was a file's and not a folder's. */
  readonly file?: string;
  readonly warnings: readonly Warning[];
}

/**
 * A model's files on a server. A URL with a file extension (`model.safetensors`) is that of a file, and its folder becomes
 * the source; any other URL is that of a folder.
 *
 * Files are read in ranges, which the server should support; otherwise each file is read from its start. With a cache,
 * chunks of 4 MiB are stored as they complete, and a broken download resumes where it stopped. Each file is checked for
 * changes once; if the server cannot be reached, the cache is used.
 *
 * Methods reject with a SourceError: `not-found`, or `read-failed` with advice, such as for no connection, a wrong hash or
 * a full disk.
 */
export function openUrl(url: string | URL, options?: OpenUrlOptions): Promise<UrlSource> {
  return barrier('openUrl()', () => openAt(url, options));
}

async function openAt(url: string | URL, options: OpenUrlOptions = {}): Promise<UrlSource> {
  const full = parsed(url);
  const name = full.pathname.split('/').at(-1) ?? '';
  const file = /\.\w+$/.test(name) ? decodeURIComponent(name) : undefined;
  const folder = new URL(full);
  folder.pathname = file === undefined ? full.pathname.replace(/\/?$/, '/') : full.pathname.slice(0, -name.length);
  const store = options.cache === false || globalThis.caches === undefined ? undefined : await openCacheStore();
  const files = new Map<string, Promise<RemoteFile | undefined>>();

  const open = (path: string): Promise<RemoteFile | undefined> => {
    let opened = files.get(path);
    if (opened === undefined) {
      opened = openRemote({
        ...options,
        url: inside(folder, path),
        store,
        sha256: options.integrity?.[path],
        onBytes: (loaded, size) => callersCode(() => options.onProgress?.({ path, loaded, size })),
      });
      files.set(path, opened);
      // A failed file may be retried.
      opened.catch(() => files.delete(path));
    }
    return opened;
  };

  return {
    name: full.href,
    file,
    warnings: store === undefined ? notCached(options.cache) : [],
    async read(path, range, signal) {
      const remote = await open(path);
      if (remote === undefined) {
        const problem = `There is no ${inside(folder, path)}, or only a web page (HTML) in its place.`;
        throw new SourceError('not-found', path, `${problem} Check the address, and whether it needs a login.`);
      }
      return readPieces(inside(folder, path), remote, range ?? { start: 0, end: remote.size }, signal);
    },
    size: async (path) => (await open(path))?.size,
  };
}

async function readPieces(
  url: string,
  remote: RemoteFile,
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { start, end } = range;
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= remote.size)) {
    throw new SourceError(
      'read-failed',
      url,
      `${url} ends after ${remote.size} bytes, but bytes ${start} to ${end} were requested. It may be truncated: download it again.`,
    );
  }
  const result = roomFor(url, end - start);
  for await (const { at, bytes } of remote.pieces(range, signal)) {
    const inRange = bytes.subarray(Math.max(0, start - at), Math.max(0, end - at));
    result.set(inRange, Math.max(0, at - start));
  }
  return result;
}

function roomFor(url: string, size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new SourceError('read-failed', url, `${url}: there is no room for ${size} bytes of it in memory.`, { cause });
  }
}

function parsed(url: string | URL): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch {
    throw new InvalidOptionError('url', `${show(url)} is not a URL.`);
  }
}

/** The URL of a file. It keeps the folder's query parameters, such as a token. */
function inside(folder: URL, path: string): string {
  const parts = path.split('/');
  if (parts.some((part) => part === '..' || part === '.' || part === '')) {
    throw new SourceError('read-failed', path, `${show(path)} is not a path inside ${folder.href}.`);
  }
  const url = new URL(folder);
  url.pathname += parts.map(encodeURIComponent).join('/');
  return url.href;
}

/** A missing cache is worth a warning only in a browser, where it means downloading again. */
function notCached(requested: boolean | undefined): Warning[] {
  const inBrowser = globalThis.isSecureContext !== undefined;
  if (requested === false || (requested === undefined && !inBrowser)) return [];
  const why =
    globalThis.isSecureContext === false
      ? 'the page is not served over https or from localhost'
      : 'there is no Cache storage';
  return [{ code: 'not-cached', message: `Downloads are not cached, since ${why}.` }];
}
