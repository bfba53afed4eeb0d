import { type ByteRange, type Source, SourceError } from '@sd/core';

/** Files that a user picked: from an `<input>`, a drop or a directory picker, or a map from paths to blobs. */
export type PickedFiles = Iterable<File> | ReadonlyMap<string, Blob> | FileSystemDirectoryHandle;

/**
 * A source of files that a user picked. Nothing is read in advance. Paths are relative to the picked folder; the path of a
 * single picked file is its name. Methods reject with a SourceError.
 */
export function openFiles(files: PickedFiles): Source {
  if ('getFileHandle' in files) return sourceOf(files.name, (path) => inDirectory(files, path));
  const blobs = files instanceof Map ? (files as ReadonlyMap<string, Blob>) : filesByPath(files as Iterable<File>);
  return sourceOf('the picked files', async (path) => blobs.get(path));
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

/** Files by path. The name of the picked folder, with which browsers prefix paths, is removed. */
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
  const name = parts.at(-1) ?? '';
  try {
    let folder = root;
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
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
      `${path} ends after ${blob.size} bytes, but bytes ${start} to ${end} were requested. It may be truncated.`,
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
