import { SourceError } from '@sd/core';

/** The metadata of a file that is cached, whole or in part. */
export interface Manifest {
  /** Bytes, or null if the server said that there is no such file. */
  readonly size: number | null;
  readonly version: string;
  /** The verified SHA-256 of its bytes. */
  readonly sha256?: string;
}

/**
 * Stores files in chunks. A chunk is stored whole or not at all, so that a broken download can be resumed and half a file
 * is never taken for a whole one.
 */
export interface ChunkStore {
  manifest(url: string): Promise<Manifest | undefined>;
  setManifest(url: string, manifest: Manifest): Promise<void>;
  /** A chunk of this version of the file, if it is stored and has this length. */
  get(url: string, version: string, index: number, length: number): Promise<Blob | undefined>;
  put(url: string, version: string, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Removes all chunks of a file, and its metadata. */
  remove(url: string): Promise<void>;
}

const cacheName = 'sd-models-1';

/** Bytes per chunk: the most that a broken download loses. */
export const chunkSize = 2 ** 22;

/**
 * A store in the browser's Cache storage; undefined if there is none, as outside browsers and on insecure pages. The
 * origin private file system is not used, since it writes in place only from workers, and elsewhere copies the whole file
 * for each chunk.
 */
export async function openCacheStore(): Promise<ChunkStore | undefined> {
  let cache: Cache;
  try {
    cache = await globalThis.caches.open(cacheName);
  } catch {
    return undefined;
  }
  return {
    async manifest(url) {
      const entry = await cache.match(manifestKey(url));
      return entry?.json();
    },
    setManifest: (url, manifest) => put(cache, url, manifestKey(url), JSON.stringify(manifest)),
    async get(url, version, index, length) {
      const entry = await cache.match(chunkKey(url, version, index));
      const blob = await entry?.blob();
      return blob?.size === length ? blob : undefined;
    },
    put: (url, version, index, bytes) => put(cache, url, chunkKey(url, version, index), bytes),
    remove: (url) => removeWhere(cache, (key) => key.searchParams.has('sd-part') && withoutPart(key) === url),
  };
}

/**
 * Clears the cache of `openUrl`: all of it, or only the files under a URL, which may be a folder's or a file's.
 * @returns Whether anything was removed.
 */
export async function clearCache(url?: string | URL): Promise<boolean> {
  if (globalThis.caches === undefined) return false;
  if (url === undefined) return caches.delete(cacheName);
  if (!(await caches.has(cacheName))) return false;
  const start = new URL(url, globalThis.location?.href).href;
  let found = false;
  await removeWhere(await caches.open(cacheName), (key) => {
    const inside = withoutPart(key).startsWith(start);
    found ||= inside;
    return inside;
  });
  return found;
}

// Keys are URLs that are never requested: the file's own with an extra parameter.
const keyed = (url: string, part: string) => {
  const key = new URL(url);
  key.searchParams.append('sd-part', part);
  return key.href;
};
const manifestKey = (url: string) => keyed(url, 'manifest');
const chunkKey = (url: string, version: string, index: number) => keyed(url, `${version}:${index}`);

function withoutPart(key: URL): string {
  const url = new URL(key);
  url.searchParams.delete('sd-part');
  return url.href;
}

async function removeWhere(cache: Cache, matches: (key: URL) => boolean): Promise<void> {
  for (const request of await cache.keys()) if (matches(new URL(request.url))) await cache.delete(request);
}

async function put(cache: Cache, url: string, key: string, body: BodyInit): Promise<void> {
  try {
    await cache.put(key, new Response(body));
  } catch (cause) {
    throw await full(url, cause);
  }
}

async function full(url: string, cause: unknown): Promise<SourceError> {
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  const amounts =
    quota === undefined || usage === undefined ? '' : ` (${megabytes(usage)} of ${megabytes(quota)} used)`;
  const why =
    cause instanceof Error && cause.name === 'QuotaExceededError'
      ? `the browser has no more room for it${amounts}`
      : `the browser did not store it: ${(cause as Error).message}`;
  return new SourceError(
    'read-failed',
    url,
    `${url} could not be cached: ${why}. Free some room, for example with clearCache(), or open it with \`cache: false\`.`,
    { cause },
  );
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
