import { SourceError } from '@sd/core';

/** What is known of a file that is kept, whole or in part. */
export interface Manifest {
  /** Bytes, or null where the server said that there is no such file. */
  readonly size: number | null;
  readonly version: string;
  /** The SHA-256 that its bytes were found to have. */
  readonly sha256?: string;
}

/**
 * Keeps files in pieces. Each piece is there whole or not at all, which is what makes a broken download one that can be
 * gone on with, and keeps half a file from passing for one.
 */
export interface ChunkStore {
  manifest(url: string): Promise<Manifest | undefined>;
  setManifest(url: string, manifest: Manifest): Promise<void>;
  /** A piece of this version of the file, if it is there with this many bytes. */
  get(url: string, version: string, index: number, length: number): Promise<Blob | undefined>;
  put(url: string, version: string, index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Forgets all pieces of a file, and what is known of it. */
  remove(url: string): Promise<void>;
}

const cacheName = 'sd-models-1';

/** Bytes of a piece that is kept: what a download that breaks may lose. */
export const chunkSize = 2 ** 22;

/**
 * A store in the browser's Cache storage. It was preferred to the origin's private file system, which writes in place only
 * from workers, and elsewhere copies the whole file for each piece that is added.
 * Undefined where there is no Cache storage, as outside browsers and on pages that are not served securely.
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
 * Forgets what `openUrl` keeps: all of it, or the files of one URL, a folder's or a file's.
 * @returns Did it keep any?
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

// Keys are addresses that no server is asked for: the file's own with a parameter more.
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
    `${url} could not be kept: ${why}. Free some room, for example with clearCache(), or open it with \`cache: false\`.`,
    { cause },
  );
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
