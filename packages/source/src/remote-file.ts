import { SourceError } from '@sd/core';
import { chunkSize, type Manifest } from './chunk-store.js';
import { sha256Of } from './digest.js';
import { download, probe, Unreachable } from './http.js';
import { direct, inMemory, inStore, type RemoteFile, type RemoteOptions, type Version } from './readers.js';

/** Finds a file; undefined where there is none. What is kept of another version is forgotten. Throws a SourceError. */
export async function openRemote(options: RemoteOptions): Promise<RemoteFile | undefined> {
  const { url, store, sha256 } = options;
  const kept = await store?.manifest(url);
  const found = await find(options, kept);
  if (found === undefined) return undefined;
  const file = readerOf(options, found);
  const wanted = sha256?.toLowerCase();
  const known = kept?.version === found.version ? kept.sha256 : undefined;
  return wanted === undefined || wanted === known ? file : verified(options, file, { ...found, sha256: wanted });
}

function readerOf(options: RemoteOptions, found: Version | Contents): RemoteFile {
  if ('bytes' in found) return inMemory(found.bytes);
  return options.store === undefined ? direct(options, found) : inStore(options, options.store, found);
}

/** A file that came whole. */
interface Contents {
  readonly bytes: Uint8Array;
  readonly version: string;
}

/** The file as the server has it now or, where the server does not answer, as it is kept. */
async function find(options: RemoteOptions, kept: Manifest | undefined): Promise<Version | Contents | undefined> {
  const { url, store } = options;
  let remote: Awaited<ReturnType<typeof probe>>;
  try {
    remote = await probe(url, options);
  } catch (error) {
    if (!(error instanceof Unreachable) || kept === undefined) throw error;
    return kept.size === null ? undefined : { size: kept.size, version: kept.version };
  }
  if (remote === undefined) {
    if (kept?.size !== null) {
      await store?.remove(url);
      await store?.setManifest(url, { size: null, version: '' });
    }
    return undefined;
  }
  const { size, version } = remote;
  if (kept !== undefined && kept.size !== null && kept.version === version && (size ?? kept.size) === kept.size) {
    return { size: kept.size, version };
  }
  if (kept !== undefined) await store?.remove(url);
  if (size !== undefined) {
    await store?.setManifest(url, { size, version });
    return { size, version };
  }
  const bytes = await everything(options, version);
  if (store === undefined) return { bytes, version };
  for (let i = 0; i * chunkSize < bytes.length; i++) {
    await store.put(url, version, i, bytes.slice(i * chunkSize, (i + 1) * chunkSize));
  }
  await store.setManifest(url, { size: bytes.length, version });
  return { size: bytes.length, version };
}

/** A file whose size the server does not tell, such as one that it compresses. */
async function everything(options: RemoteOptions, version: string): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const { bytes } of download(options.url, { start: 0, version }, options)) pieces.push(bytes.slice());
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** The file once all of it is there and has the hash; else what is kept of it is forgotten. */
async function verified(
  { url, store, signal }: RemoteOptions,
  file: RemoteFile,
  { version, sha256 }: { readonly version: string; readonly sha256: string },
): Promise<RemoteFile> {
  const { size } = file;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  async function* all() {
    for await (const { bytes } of file.pieces({ start: 0, end: size }, signal)) {
      // What no store keeps must be held, or what is read later could be something else.
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
      `${url} has the SHA-256 ${found}, but ${sha256} was expected: it is damaged, or another file. Download it again, or correct the hash.`,
    );
  }
  await store?.setManifest(url, { size, version, sha256 });
  return store === undefined ? inMemory(new Uint8Array(await new Blob(pieces).arrayBuffer())) : file;
}
