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
  const known = cached?.version === found.version ? cached.sha256 : undefined;
  return expected === undefined || expected === known ? file : verified(options, file, { ...found, sha256: expected });
}

function readerOf(options: RemoteOptions, found: Version | Contents): RemoteFile {
  if ('bytes' in found) return inMemory(found.bytes);
  return options.store === undefined ? direct(options, found) : inStore(options, options.store, found);
}

/** A file that was downloaded whole. */
interface Contents {
  readonly bytes: Uint8Array;
  readonly version: string;
}

/** The file's current version on the server or, if that does not respond, its cached version. */
async function find(options: RemoteOptions, cached: Manifest | undefined): Promise<Version | Contents | undefined> {
  const { url, store } = options;
  let remote: Awaited<ReturnType<typeof probe>>;
  try {
    remote = await probe(url, options);
  } catch (error) {
    if (!(error instanceof Unreachable) || cached === undefined) throw error;
    return cached.size === null ? undefined : { size: cached.size, version: cached.version };
  }
  if (remote === undefined) {
    if (cached?.size !== null) {
      await store?.remove(url);
      await store?.setManifest(url, { size: null, version: '' });
    }
    return undefined;
  }
  const { size, version } = remote;
  if (cached !== undefined && cached.size !== null) {
    if (cached.version === version && (size ?? cached.size) === cached.size) return { size: cached.size, version };
  }
  if (cached !== undefined) await store?.remove(url);
  if (size !== undefined) {
    await store?.setManifest(url, { size, version });
    return { size, version };
  }
  const bytes = await downloadAll(options, version);
  if (store === undefined) return { bytes, version };
  for (let i = 0; i * chunkSize < bytes.length; i++) {
    await store.put(url, version, i, bytes.slice(i * chunkSize, (i + 1) * chunkSize));
  }
  await store.setManifest(url, { size: bytes.length, version });
  return { size: bytes.length, version };
}

/** Downloads a file of unknown size, such as one that the server compresses. */
async function downloadAll(options: RemoteOptions, version: string): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const { bytes } of download(options.url, { start: 0, version }, options)) pieces.push(bytes.slice());
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Downloads all of a file and checks its hash. On a mismatch, removes it from the cache and throws a SourceError. */
async function verified(
  { url, store, signal }: RemoteOptions,
  file: RemoteFile,
  { version, sha256 }: { readonly version: string; readonly sha256: string },
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
  await store?.setManifest(url, { size, version, sha256 });
  return store === undefined ? inMemory(new Uint8Array(await new Blob(pieces).arrayBuffer())) : file;
}

/** The SHA-256 of bytes that arrive in pieces, in hexadecimal. WebCrypto can only hash them all at once. */
async function sha256Of(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const { sha256 } = await lazyImport(() => import('@noble/hashes/sha2.js'));
  const hash = sha256.create();
  for await (const piece of pieces) hash.update(piece);
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
