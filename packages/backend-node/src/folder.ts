import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ByteRange, type Source, SourceError, show } from '@sd/core';

/**
 * A source of a model's files in a folder on disk. `folder` is a path, relative to the current directory, or a file URL.
 *
 * Throws a SourceError, with the code `not-found` if there is no such folder or file, and `read-failed` if it cannot be
 * read, a range is past its end, or a path leaves the folder. Symbolic links may point outside.
 */
export async function openFolder(folder: string | URL): Promise<Source> {
  const root = path.resolve(folder instanceof URL ? fileURLToPath(folder) : folder);
  const found = await attempt(root, () => stat(root));
  if (found === undefined) {
    throw new SourceError('not-found', root, `There is no folder ${root}. Check the path.`);
  }
  if (!found.isDirectory()) {
    throw new SourceError('not-found', root, `${root} is a file. Pass the folder that contains the model's files.`);
  }

  /** A file's full path, and its size if it exists. */
  async function find(name: string): Promise<{ full: string; size?: number }> {
    const full = resolveInside(root, name);
    const found = await attempt(full, () => stat(full));
    return found?.isFile() ? { full, size: found.size } : { full };
  }

  return {
    name: root,
    async read(name: string, range?: ByteRange) {
      const { full, size } = await find(name);
      if (size === undefined) throw missing(full);
      const bytes = await attempt(full, () => readBytes(full, range ?? { start: 0, end: size }));
      if (bytes === undefined) throw missing(full);
      return bytes;
    },
    size: async (name: string) => (await find(name)).size,
    async realPath(name: string) {
      const { full, size } = await find(name);
      return size === undefined ? undefined : outsideArchive(await attempt(full, () => realpath(full)));
    },
  };
}

/**
 * Where ONNX Runtime finds a file that Node finds at `full`. In an Electron app, Node's `fs` reads archives (`app.asar`) as
 * folders, which native code cannot. Files listed in `asarUnpack` are also next to the archive; any other has no such path,
 * and is read into memory.
 */
async function outsideArchive(full: string | undefined): Promise<string | undefined> {
  const unpacked = full?.replace(/\.asar(?=[/\\])/, '.asar.unpacked');
  if (unpacked === full) return full;
  const found = await attempt(unpacked!, () => stat(unpacked!));
  return found?.isFile() ? unpacked : undefined;
}

const missing = (full: string) =>
  new SourceError('not-found', full, `There is no file ${full}. Check that the folder is complete.`);

function resolveInside(root: string, name: string): string {
  const full = path.resolve(root, name);
  const inside = path.relative(root, full);
  if (name.includes('\0') || path.isAbsolute(name) || path.isAbsolute(inside) || inside.split(path.sep)[0] === '..') {
    throw new SourceError('read-failed', name, `${show(name)} is not a path inside the folder ${root}.`);
  }
  return full;
}

/** Undefined if there is no such file. Any other failure becomes a SourceError. */
async function attempt<T>(full: string, action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SourceError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const hint = code === 'EACCES' || code === 'EPERM' ? ' Check its permissions.' : '';
    throw new SourceError('read-failed', full, `${full} cannot be read: ${message}.${hint}`, { cause: error });
  }
}

async function readBytes(full: string, { start, end }: ByteRange): Promise<Uint8Array> {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start)) {
    throw new SourceError('read-failed', full, `${full} has no bytes from ${start} to ${end}.`);
  }
  const handle = await open(full, 'r');
  try {
    const { size } = await handle.stat();
    // Checked before allocating: a broken header may ask for any amount.
    if (end > size) throw short(full, start, end, size);
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(end - start).buffer);
    await fill(handle, full, bytes, start);
    return bytes;
  } finally {
    await handle.close();
  }
}

/** A single read is limited to 2 GiB, and may return less than requested. */
async function fill(handle: FileHandle, full: string, bytes: Uint8Array, start: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, 2 ** 30);
    const { bytesRead } = await handle.read(bytes, done, length, start + done);
    if (bytesRead === 0) throw short(full, start, start + bytes.length, start + done);
    done += bytesRead;
  }
}

const short = (full: string, start: number, end: number, size: number) =>
  new SourceError(
    'read-failed',
    full,
    `${full} ends after ${size} bytes, but bytes ${start} to ${end} were requested. It may be truncated: download it again.`,
  );
