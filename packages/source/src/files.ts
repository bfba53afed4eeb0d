import { type ByteRange, type Source, SourceError } from '@sd/core';

/** Files that a person picked: of an `<input>`, of a drop, of a directory picker, or a map from paths to blobs. */
export type PickedFiles = Iterable<File> | ReadonlyMap<string, Blob> | FileSystemDirectoryHandle;

/**
 * A model's files among those that a person picked. Nothing is read until it is asked for. Paths are those in the folder
 * that was picked; a file that was picked alone has its name for a path. Its methods reject with a SourceError.
 */
export function openFiles(files: PickedFiles): Source {
  if ('getFileHandle' in files) return sourceOf(files.name, (path) => inDirectory(files, path));
  const blobs = files instanceof Map ? (files as ReadonlyMap<string, Blob>) : filesByPath(files as Iterable<File>);
  return sourceOf('the files that were given', async (path) => blobs.get(path));
}

function sourceOf(name: string, find: (path: string) => Promise<Blob | undefined>): Source {
  return {
    name,
    async read(path, range) {
      const blob = await find(path);
      if (blob === undefined) {
        throw new SourceError('not-found', path, `There is no ${path} in ${name}. Check that the folder is complete.`);
      }
      return readBlob(path, blob, range ?? { start: 0, end: blob.size });
    },
    size: async (path) => (await find(path))?.size,
  };
}

/** Files by their paths. Browsers put the name of the picked folder before the paths in it, which is left out. */
export function filesByPath(files: Iterable<File>): Map<string, Blob> {
  return new Map(
    [...files].map((file) => [
      file.webkitRelativePath ? file.webkitRelativePath.replace(/^[^/]*\//, '') : file.name,
      file,
    ]),
  );
}

async function inDirectory(root: FileSystemDirectoryHandle, path: string): Promise<File | undefined> {
  const parts = path.split('/');
  const name = parts.pop()!;
  try {
    let folder = root;
    for (const part of parts) folder = await folder.getDirectoryHandle(part);
    return await (await folder.getFileHandle(name)).getFile();
  } catch (cause) {
    const reason = (cause as Error).name;
    if (reason === 'NotFoundError' || reason === 'TypeMismatchError') return undefined;
    throw unreadable(path, cause);
  }
}

async function readBlob(path: string, blob: Blob, { start, end }: ByteRange): Promise<Uint8Array> {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= blob.size)) {
    throw new SourceError(
      'read-failed',
      path,
      `${path} ends after ${blob.size} bytes, but bytes ${start} to ${end} were wanted. It may be cut off.`,
    );
  }
  try {
    return new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): SourceError {
  const why = (cause as Error).message;
  return new SourceError(
    'read-failed',
    path,
    `${path} cannot be read: ${why} If it was moved or changed, pick it again.`,
    {
      cause,
    },
  );
}
