import { lazyImport, SourceError } from '@sd/core';
import { chunkSize, type Manifest } from './chunk-store.js';
import { download, probe, Unreachable } from './http.js';
import { direct, inMemory, inStore, type RemoteFile, type RemoteOptions, type Version } from './readers.js';

/** Opens a file; undefined if there is none. Removes cached chunks of other versions. Throws a SourceError. */
export async function openRemote(options: RemoteOptions): Promise<RemoteFile | undefined> {
  const { url, store, sha256 } = options;
  const cached = await store?.manifest(url);
  const found = await find(options, cached);
  if (found === undefined) return undefined;
  const file = readerOf(options, found);
  const expected = sha256?.toLowerCase();
  const known = 'key' in found && cached?.version === found.key ? cached.sha256 : undefined;
  return expected === undefined || expected === known ? file : verified(options, file, { ...found, sha256: expected });
}

function readerOf(options: RemoteOptions, found: Version | Contents): RemoteFile {
  if ('bytes' in found) return inMemory(found.bytes);
  return options.store === undefined ? direct(options, found) : inStore(options, options.store, found);
}

/** A file that was downloaded whole. */
interface Contents {
  readonly bytes: Uint8Array;
}

/** The most bytes that are downloaded of a file of unknown size. */
const mostUnknown = 2 ** 28;

const unversioned = 'unversioned-';

/**
 * The key for a file's chunks. Where the server gives no version, chunks of one version cannot be told from those of
 * another, so each opening has a new key.
 */
const keyOf = (version: string) => (version === '' ? `${unversioned}${crypto.randomUUID()}` : version);

/** The cached file, for a server that does not respond. */
function cachedVersion({ size, version: key }: Manifest): Version | undefined {
  return size === null ? undefined : { size, version: key.startsWith(unversioned) ? '' : key, key };
}

/** Whether cached chunks are those of the file as the server has it now. */
function isCurrent(cached: Manifest, { size, version }: Awaited<ReturnType<typeof probe>> & object, sha256?: string) {
  if (cached.size === null || (size ?? cached.size) !== cached.size) return false;
  if (version !== '') return cached.version === version;
  return cached.sha256 !== undefined && cached.sha256 === sha256?.toLowerCase();
}

/** The file's current version on the server or, if that does not respond, its cached version. */
async function find(options: RemoteOptions, cached: Manifest | undefined): Promise<Version | Contents | undefined> {
  const { url, store } = options;
  let remote: Awaited<ReturnType<typeof probe>>;
  try {
    remote = await probe(url, options);
  } catch (error) {
    if (!(error instanceof Unreachable) || cached === undefined) throw error;
    return cachedVersion(cached);
  }
  if (remote === undefined) {
    if (cached?.size !== null) {
      await store?.remove(url);
      await store?.setManifest(url, { size: null, version: '' });
    }
    return undefined;
  }
  const { size, version } = remote;
  if (cached !== undefined && isCurrent(cached, remote, options.sha256)) return cachedVersion(cached);
  if (cached !== undefined) await store?.remove(url);
  const key = keyOf(version);
  if (size !== undefined) {
    await store?.setManifest(url, { size, version: key });
    return { size, version, key };
  }
  const bytes = await downloadAll(options, version);
  if (store === undefined) return { bytes };
  for (let i = 0; i * chunkSize < bytes.length; i++) {
    await store.put(url, key, i, bytes.slice(i * chunkSize, (i + 1) * chunkSize));
  }
  await store.setManifest(url, { size: bytes.length, version: key });
  return { size: bytes.length, version, key };
}

/** Downloads a file of unknown size, such as one that the server compresses. */
async function downloadAll(options: RemoteOptions, version: string): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  for await (const { bytes } of download(options.url, { start: 0, version }, options)) {
    received += bytes.length;
    if (received > mostUnknown) throw endless(options.url);
    pieces.push(bytes.slice());
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function endless(url: string): SourceError {
  return new SourceError(
    'read-failed',
    url,
    `${url} has more than ${mostUnknown / 2 ** 20} MiB, and the server does not state its size. Let it send Content-Length or support ranges.`,
  );
}

/** Downloads all of a file and checks its hash. On a mismatch, removes it from the cache and throws a SourceError. */
async function verified(
  { url, store, signal }: RemoteOptions,
  file: RemoteFile,
  { key, sha256 }: { readonly key?: string; readonly sha256: string },
): Promise<RemoteFile> {
  const { size } = file;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  async function* all() {
    for await (const { bytes } of file.pieces({ start: 0, end: size }, signal)) {
      // Without a store the bytes must be held, since a later read could return something else.
      if (store === undefined) pieces.push(bytes.slice());
      yield bytes;
    }
  }
  const found = await sha256Of(all());
  if (found !== sha256) {
    await store?.remove(url);
    throw new SourceError(
      'read-failed',
      url,
      `${url} has the SHA-256 ${found}, but ${sha256} was expected: it is damaged or another file. Download it again, or correct the hash.`,
    );
  }
  if (key !== undefined) await store?.setManifest(url, { size, version: key, sha256 });
  return store === undefined ? inMemory(new Uint8Array(await new Blob(pieces).arrayBuffer())) : file;
}

/** The SHA-256 of bytes that arrive in pieces, in hexadecimal. WebCrypto can only hash them all at once. */
async function sha256Of(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const { sha256 } = await lazyImport(() => import('@noble/hashes/sha2.js'));
  const hash = sha256.create();
  for await (const piece of pieces) hash.update(piece);
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
