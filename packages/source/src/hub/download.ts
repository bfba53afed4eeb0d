import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pause, SourceError, throwIfAborted } from '@sd/core';
import { lock } from 'proper-lockfile';
import { type HubFile, refusal } from './api.js';
import { exists } from './cache-layout.js';
import { HubUnreachable } from './request.js';

export interface DownloadRequest {
  readonly endpoint: string;
  readonly repo: string;
  readonly revision: string;
  readonly url: string;
  readonly file: HubFile;
  /** Where the contents belong. */
  readonly blob: string;
  /** A file that one process holds while it downloads. */
  readonly lockFile: string;
  readonly fetch: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes of the file that are on the disk. */
  onBytes(loaded: number): void;
}

/** Connections in a row that brought nothing, after which a download is given up. */
const mostFailures = 3;
/** Milliseconds after which the lock of a process that was killed counts as free. */
const staleLock = 5000;

/**
 * Downloads a file to the cache, unless another process does so first. It goes on where an earlier download stopped, and is
 * in its place only once its size and hash are right. Throws a SourceError for a wrong hash, a full disk or a refusal.
 */
export async function downloadBlob(request: DownloadRequest): Promise<void> {
  const { blob, lockFile } = request;
  await mkdir(path.dirname(blob), { recursive: true });
  await mkdir(path.dirname(lockFile), { recursive: true });
  const unlock = await held(request);
  try {
    if (!(await exists(blob))) await fill(request);
  } finally {
    await unlock();
  }
}

/** Waits for the lock. Python's locks are other files: each of us writes to a file of its own, and both end in the same one. */
async function held({ lockFile, signal }: DownloadRequest): Promise<() => Promise<void>> {
  for (;;) {
    throwIfAborted(signal);
    try {
      return await lock(lockFile, {
        realpath: false,
        lockfilePath: lockFile,
        stale: staleLock,
        onCompromised: () => {},
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      await pause(200, signal);
    }
  }
}

async function fill(request: DownloadRequest): Promise<void> {
  const { blob, file } = request;
  const partial = `${blob}.sd.incomplete`;
  const handle = await open(partial, 'a+');
  let isWhole = false;
  try {
    const writer = await partialFile(handle, file);
    await receive(request, writer);
    isWhole = writer.digest() === file.hash;
    await handle.sync();
  } catch (error) {
    // What was received is kept for the next attempt, except where it would keep the disk full.
    if (isFull(error)) await rm(partial, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  if (isWhole) return rename(partial, blob);
  await rm(partial, { force: true });
  const message = `${request.url} arrived damaged: its hash is not ${file.hash}. Download it again; if that does not help, something on the way changes it.`;
  throw new SourceError('read-failed', file.path, message);
}

export function isFull(error: unknown): boolean {
  return /^(ENOSPC|EDQUOT|EFBIG)$/.test(String((error as NodeJS.ErrnoException)?.code));
}

/** The start of a file, and the hash of what it has. */
interface PartialFile {
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  clear(): Promise<void>;
  digest(): string;
}

async function partialFile(handle: FileHandle, file: HubFile): Promise<PartialFile> {
  let size = 0;
  let hash = startHash(file);
  const clear = async () => {
    await handle.truncate(0);
    size = 0;
    hash = startHash(file);
  };
  const buffer = new Uint8Array(2 ** 20);
  const { size: stored } = await handle.stat();
  if (stored > file.size) await clear();
  else {
    while (size < stored) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  }
  return {
    get size() {
      return size;
    },
    async append(bytes) {
      // The handle appends; a write may take only a part.
      for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
      hash.update(bytes);
      size += bytes.length;
    },
    clear,
    digest: () => hash.digest('hex'),
  };
}

/** Large files are named by their SHA-256, others by git's hash of a blob. */
function startHash({ isLarge, size }: HubFile) {
  return isLarge ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

/** Receives what is missing, in as many responses as it takes. */
async function receive(request: DownloadRequest, partial: PartialFile): Promise<void> {
  const { file, url, signal, onBytes } = request;
  onBytes(partial.size);
  let failures = 0;
  while (partial.size < file.size) {
    const before = partial.size;
    try {
      await receiveOnce(request, partial);
      if (partial.size < file.size) throw new HubUnreachable(url, 'the connection ended early');
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error;
      failures = partial.size > before ? 0 : failures + 1;
      if (failures === mostFailures) throw error;
      await pause(250 * 4 ** failures, signal);
    }
  }
}

async function receiveOnce(request: DownloadRequest, partial: PartialFile): Promise<void> {
  const { url, file, signal, onBytes } = request;
  // A compressed response would have other ranges and another length.
  const headers = new Headers({ 'Accept-Encoding': 'identity' });
  if (partial.size > 0) headers.set('Range', `bytes=${partial.size}-`);
  const response = await request.fetch(url, { headers });
  const start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? 0);
  if (response.status === 416 || (response.ok && start !== partial.size)) await partial.clear();
  if (!response.ok || start > partial.size) {
    await response.body?.cancel();
    if (response.status === 416 || response.ok) throw new HubUnreachable(url, 'the server does not send the rest');
    throw refusal(response.status, request);
  }
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { done, value } = (await reader?.read().catch((cause: unknown) => {
        throwIfAborted(signal);
        throw new HubUnreachable(url, 'the connection broke', cause);
      })) ?? { done: true, value: undefined };
      if (done) return;
      if (partial.size + value.length > file.size) {
        throw new SourceError(
          'read-failed',
          file.path,
          `${url} is longer than the ${file.size} bytes that the hub lists.`,
        );
      }
      await partial.append(value);
      onBytes(partial.size);
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}
