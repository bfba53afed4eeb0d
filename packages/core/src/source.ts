import type { Warning } from './warning.js';

/** Bytes from `start` (inclusive) to `end` (exclusive). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Provides a model's files: from a folder, a server, a map of blobs. Paths are relative, with forward slashes. */
export interface Source {
  /** Its name in messages: the folder's path, the URL. */
  readonly name?: string;
  /** Things that a caller should know, such as that downloads are not cached. */
  readonly warnings?: readonly Warning[];
  /**
   * Reads a file, or a range of it. The caller may keep the bytes but not change them. Throws a SourceError, with the code
   * `not-found` if there is no such file.
   */
  read(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>;
  /** A file's size in bytes, or undefined if there is no such file. Without this method, whole files are read. */
  size?(path: string): Promise<number | undefined>;
  /** A file's real path if it is on this machine's disk, so that backends can map it. */
  realPath?(path: string): Promise<string | undefined>;
}

/**
 * A source with other methods, such as ones that call the first source's. It keeps that one's name and warnings, and has
 * `size` and `realPath` only if that one does.
 */
export function withMethods(source: Source, methods: Required<Pick<Source, 'read' | 'size' | 'realPath'>>): Source {
  const { name, size, realPath } = source;
  return {
    ...(typeof name === 'string' && { name }),
    get warnings() {
      return source.warnings ?? [];
    },
    read: methods.read,
    ...(typeof size === 'function' && { size: methods.size }),
    ...(typeof realPath === 'function' && { realPath: methods.realPath }),
  };
}
