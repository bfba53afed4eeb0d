import { type ByteRange, linkSignals } from '@sd/core';
import { type ChunkStore, chunkSize } from './chunk-store.js';
import type { HttpOptions } from './http.js';
import { transfer } from './transfer.js';

export interface RemoteOptions extends HttpOptions {
  readonly url: string;
  readonly store: ChunkStore | undefined;
  /** The expected SHA-256, in hexadecimal. */
  readonly sha256?: string;
  /** Called with the number of bytes received so far, including cached ones. */
  onBytes(loaded: number, size: number): void;
}

/** A version of a file. */
export interface Version {
  readonly size: number;
  /** The version that the server states; empty if it states none. */
  readonly version: string;
  /** The key that its chunks are stored under. */
  readonly key: string;
}

/** Bytes, and their offset in the file. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A file on a server, possibly cached in part or whole. */
export interface RemoteFile {
  readonly size: number;
  /** The bytes of a range, in order. The first and last piece may extend beyond it. */
  pieces(range: ByteRange, signal: AbortSignal | undefined): AsyncIterable<Piece>;
}

export function inMemory(bytes: Uint8Array): RemoteFile {
  return {
    size: bytes.length,
    async *pieces() {
      yield { at: 0, bytes };
    },
  };
}

/** Requests bytes from the server every time. */
export function direct(options: RemoteOptions, { size, version }: Omit<Version, 'key'>): RemoteFile {
  let loaded = 0;
  return {
    size,
    async *pieces(range, signal) {
      let at = range.start;
      const link = linkSignals(options.signal, signal);
      try {
        const combined = { ...options, signal: link.signal };
        for await (const bytes of transfer(options.url, { ...range, version, size }, combined)) {
          yield { at, bytes };
          at += bytes.length;
          loaded += bytes.length;
          options.onBytes(Math.min(loaded, size), size);
        }
      } finally {
        link.unlink();
      }
    },
  };
}

/** Requests chunks that are not stored yet from the server, and stores them. */
export function inStore(options: RemoteOptions, store: ChunkStore, { size, version, key }: Version): RemoteFile {
  const { url } = options;
  const seen = new Set<number>();
  let loaded = 0;
  let last: Promise<unknown> = Promise.resolve();
  const lengthOf = (index: number) => Math.min(chunkSize, size - index * chunkSize);
  const stored = (index: number) => store.get(url, key, index, lengthOf(index));
  const markSeen = (index: number) => {
    if (!seen.has(index)) loaded += lengthOf(index);
    seen.add(index);
    options.onBytes(loaded, size);
  };

  async function* pieces(
    { start, end }: ByteRange,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Piece, void, void> {
    const after = Math.ceil(end / chunkSize);
    let index = Math.floor(start / chunkSize);
    while (index < after) {
      const at = index * chunkSize;
      const blob = await stored(index);
      if (blob !== undefined) {
        const [from, to] = [Math.max(at, start), Math.min(at + blob.size, end)];
        yield { at: from, bytes: new Uint8Array(await blob.slice(from - at, to - at).arrayBuffer()) };
        markSeen(index++);
        continue;
      }
      let missing = index + 1;
      while (missing < after && (await stored(missing)) === undefined) missing++;
      for await (const bytes of fetched(index, missing, signal)) {
        await store.put(url, key, index, bytes);
        yield { at: index * chunkSize, bytes };
        markSeen(index++);
      }
    }
  }

  /** Chunks `first` (inclusive) to `after` (exclusive), each as soon as it is complete. */
  async function* fetched(first: number, after: number, signal: AbortSignal | undefined) {
    const range = { start: first * chunkSize, end: Math.min(size, after * chunkSize), version, size };
    let chunk = new Uint8Array(lengthOf(first));
    let filled = 0;
    let index = first;
    const link = linkSignals(options.signal, signal);
    try {
      for await (const bytes of transfer(url, range, { ...options, signal: link.signal })) {
        for (let taken = 0; taken < bytes.length; ) {
          const part = bytes.subarray(taken, taken + chunk.length - filled);
          chunk.set(part, filled);
          taken += part.length;
          filled += part.length;
          if (filled < chunk.length) continue;
          yield chunk;
          filled = 0;
          index += 1;
          if (index < after) chunk = new Uint8Array(lengthOf(index));
        }
        if (filled > 0) options.onBytes(loaded + filled, size);
      }
    } finally {
      link.unlink();
    }
  }

  return {
    size,
    async *pieces(range, signal) {
      // Serialized, so that two readers of a chunk do not both fetch it.
      const before = last;
      let done!: () => void;
      last = new Promise<void>((resolve) => {
        done = resolve;
      });
      try {
        await before;
        yield* pieces(range, signal);
      } finally {
        done();
      }
    },
  };
}
