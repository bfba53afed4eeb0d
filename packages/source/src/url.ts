import { type ByteRange, InvalidOptionError, type Source, SourceError, type Warning } from '@sd/core';
import { openCacheStore } from './chunk-store.js';
import type { HttpOptions } from './http.js';
import type { RemoteFile } from './readers.js';
import { openRemote } from './remote-file.js';

export interface DownloadProgress {
  /** The file, by its path in the folder. */
  readonly path: string;
  /** Bytes of it that have come, from the server or from what is kept. */
  readonly loaded: number;
  /** Bytes that it has; a model may need only a part of them. */
  readonly size: number;
}

export interface OpenUrlOptions extends HttpOptions {
  /**
   * Keep what is downloaded in the browser's Cache storage, so that it is there after a reload and without a network.
   * Default: where there is one. Node has none.
   */
  readonly cache?: boolean;
  /** Called as bytes arrive. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** The SHA-256 that files must have, in hexadecimal, by their paths. Such a file is read whole before any of it is used. */
  readonly integrity?: Readonly<Record<string, string>>;
}

export interface UrlSource extends Source {
  /** The path of the file, where the URL was one of a file and not of a folder. */
  readonly file?: string;
  readonly warnings: readonly Warning[];
}

/**
 * A model's files on a server. A URL whose last part has an ending (`model.safetensors`) is one of a file, and its folder
 * is read; any other is one of a folder.
 *
 * Files are read in ranges, so a server should know them; one that does not is read from each file's start. With a cache,
 * pieces of 4 MiB are kept as they are complete, and a download that broke goes on where it was. Each file is asked for
 * once whether it has changed; where the server cannot be reached, what is kept is used.
 *
 * Its methods reject with a SourceError: `not-found`, or `read-failed` with what to do, as for no connection, a wrong hash
 * or no more room.
 */
export async function openUrl(url: string | URL, options: OpenUrlOptions = {}): Promise<UrlSource> {
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
        ...(options.integrity?.[path] === undefined ? {} : { sha256: options.integrity[path] }),
        onBytes: (loaded, size) => options.onProgress?.({ path, loaded, size }),
      });
      files.set(path, opened);
      // What failed once may go well later.
      opened.catch(() => files.delete(path));
    }
    return opened;
  };

  return {
    name: full.href,
    ...(file === undefined ? {} : { file }),
    warnings: store === undefined ? notCached(options.cache) : [],
    async read(path, range, signal) {
      const remote = await open(path);
      if (remote === undefined) {
        throw new SourceError('not-found', path, `There is no ${inside(folder, path)}. Check the address.`);
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
      `${url} ends after ${remote.size} bytes, but bytes ${start} to ${end} were wanted. It may be cut off: download it again.`,
    );
  }
  const result = new Uint8Array(end - start);
  for await (const { at, bytes } of remote.pieces(range, signal)) {
    const wanted = bytes.subarray(Math.max(0, start - at), Math.max(0, end - at));
    result.set(wanted, Math.max(0, at - start));
  }
  return result;
}

function parsed(url: string | URL): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch {
    throw new InvalidOptionError('url', `${JSON.stringify(url)} is not one.`);
  }
}

/** The address of a file; the folder's parameters, such as a token, go with each. */
function inside(folder: URL, path: string): string {
  const parts = path.split('/');
  if (parts.some((part) => part === '..' || part === '.' || part === '')) {
    throw new SourceError('read-failed', path, `${JSON.stringify(path)} is not a path inside ${folder.href}.`);
  }
  const url = new URL(folder);
  url.pathname += parts.map(encodeURIComponent).join('/');
  return url.href;
}

/** In Node nobody expects a cache; in a browser its absence means downloading again. */
function notCached(wished: boolean | undefined): Warning[] {
  const inBrowser = globalThis.isSecureContext !== undefined;
  if (wished === false || (wished === undefined && !inBrowser)) return [];
  const why =
    globalThis.isSecureContext === false
      ? 'the page is not served over https or from localhost'
      : 'there is no Cache storage';
  return [{ code: 'not-cached', message: `What is downloaded is not kept, since ${why}.` }];
}
