import { SourceError } from '@sd/core';
import { afterEach, expect, test } from 'vitest';
import { type ChunkStore, chunkSize } from '../src/chunk-store.js';
import { openUrl } from '../src/index.js';
import { openRemote } from '../src/remote-file.js';
import { type Handler, serve } from './server.js';

let server: Awaited<ReturnType<typeof serve>> | undefined;
afterEach(() => server?.close());

/** A store in memory, as a browser keeps one between visits. */
function memoryStore(): ChunkStore {
  const manifests = new Map<string, Parameters<ChunkStore['setManifest']>[1]>();
  const chunks = new Map<string, Blob>();
  return {
    manifest: async (url) => manifests.get(url),
    setManifest: async (url, manifest) => void manifests.set(url, manifest),
    get: async (_, version, index, length) => {
      const blob = chunks.get(`${version}:${index}`);
      return blob?.size === length ? blob : undefined;
    },
    put: async (_, version, index, bytes) => void chunks.set(`${version}:${index}`, new Blob([bytes])),
    remove: async (url) => {
      manifests.delete(url);
      chunks.clear();
    },
  };
}

const size = chunkSize + 1000;
const version = (value: number) => new Uint8Array(size).fill(value);

async function read(url: string, store: ChunkStore, range: { start: number; end: number }, sha256?: string) {
  const file = await openRemote({ url, store, onBytes: () => {}, ...(sha256 === undefined ? {} : { sha256 }) });
  const values = new Set<number>();
  for await (const { bytes } of file!.pieces(range, undefined)) for (const value of bytes) values.add(value);
  return [...values];
}

test('a server that gives no version: chunks of an earlier visit are not mixed with those of this one', async () => {
  const files = new Map([['w.bin', version(1)]]);
  server = await serve(files);
  const url = `${server.url}w.bin`;
  const store = memoryStore();
  expect(await read(url, store, { start: 0, end: 1000 })).toEqual([1]);
  files.set('w.bin', version(2));
  expect(await read(url, store, { start: 0, end: size })).toEqual([2]);
  server.close();
  expect(await read(url, store, { start: 0, end: size })).toEqual([2]);
}, 20_000);

test('a file whose hash is known is cached even so', async () => {
  server = await serve(new Map([['w.bin', version(1)]]));
  const url = `${server.url}w.bin`;
  const store = memoryStore();
  const hash = Buffer.from(await crypto.subtle.digest('SHA-256', version(1))).toString('hex');
  await read(url, store, { start: 0, end: size }, hash);
  const before = server.requests.length;
  expect(await read(url, store, { start: 0, end: size }, hash)).toEqual([1]);
  expect(server.requests.length).toBe(before + 1);
});

test('a file that has another size than when it was opened has changed', async () => {
  const files = new Map([['w.bin', version(1)]]);
  server = await serve(files);
  const source = await openUrl(server.url);
  expect(await source.size!('w.bin')).toBe(size);
  files.set('w.bin', version(2).subarray(0, size - 1));
  await expect(source.read('w.bin', { start: 0, end: 10 })).rejects.toThrow('changed while it was read');
});

test('a response without a length is read up to a limit', async () => {
  const block = new Uint8Array(2 ** 24);
  const fetched = async () =>
    new Response(new ReadableStream({ pull: (controller) => controller.enqueue(block) }), { status: 200 });
  const source = await openUrl('http://host/m/', { fetch: fetched });
  await expect(source.read('w.bin')).rejects.toThrow('more than 256 MiB, and the server does not state its size');
});

test('an impossible size is none, and one that fits into no memory a SourceError', async () => {
  const sized = async (claimed: string) => {
    const handle: Handler = (_, response) => {
      response.writeHead(206, { 'content-range': `bytes 0-1/${claimed}` }).end('ab');
      return true;
    };
    server = await serve(new Map(), handle);
    return (await openUrl(server.url)).read('w.bin');
  };
  expect(await sized('9007199254740993')).toHaveLength(2);
  server?.close();
  expect(await sized(`1${'0'.repeat(30)}`)).toHaveLength(2);
  server?.close();
  await expect(sized('9007199254740991')).rejects.toThrow(SourceError);
});
