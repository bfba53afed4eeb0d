import type { Warning } from './warning.js';

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Where a model's files are: a folder, a server, a map of blobs. Paths are relative, with forward slashes. */
export interface Source {
  /** What messages call it: the folder's path, the URL. */
  readonly name?: string;
  /** What a caller should know of it: that nothing that it downloads is kept. */
  readonly warnings?: readonly Warning[];
  /**
   * A file's bytes, all or a range. Throws a SourceError with code `not-found` where there is no such file. What it gives
   * is the caller's to keep, not to change.
   */
  read(path: string, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array>;
  /** A file's size in bytes, or undefined where there is no such file. Without it, whole files are read to learn it. */
  size?(path: string): Promise<number | undefined>;
  /** A file's real path on this machine's disk, for backends that map files. */
  realPath?(path: string): Promise<string | undefined>;
}
