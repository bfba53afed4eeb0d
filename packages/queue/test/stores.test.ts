import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createStorage } from 'unstorage';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { needsRedis, redisBinary, startRedis } from '../../../fixtures/redis-server.js';
import { connect } from '../src/connection.js';
import { fileStore, type Store, s3Store, unstorageStore } from '../src/index.js';
import { keysOf } from '../src/keys.js';
import { openStore } from '../src/store/open-store.js';
import { redisStore } from '../src/store/redis-store.js';
import { credentials, startS3 } from './s3-server.js';

const key = 'sd/results/0123-abc/0.png';
const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
const later = { ttlMs: 60_000 };

interface Opened {
  readonly store: Store;
  close?(): unknown;
}

async function openFiles(): Promise<Opened> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sd-store-'));
  return { store: fileStore(folder), close: () => rm(folder, { recursive: true }) };
}

async function openS3(): Promise<Opened> {
  const server = await startS3('images');
  const store = s3Store({ ...credentials, bucket: 'images', endpoint: server.endpoint, prefix: 'my images/' });
  return { store, close: server.close };
}

async function openRedis(): Promise<Opened> {
  const server = await startRedis();
  const { redis, close } = connect(server.url, { retries: null });
  return {
    store: redisStore(redis, keysOf('sd')),
    close: async () => {
      close();
      await server.stop();
    },
  };
}

const stores: Record<string, () => Promise<Opened>> = {
  fileStore: openFiles,
  s3Store: openS3,
  unstorageStore: async () => ({ store: unstorageStore(createStorage()) }),
  ...(redisBinary !== undefined && { redisStore: openRedis }),
};

describe.each(Object.entries(stores))(`%s${needsRedis}`, (_, open) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close?.());

  it('gives back what was put, and nothing after it was deleted', async () => {
    const { store } = opened;
    expect(await store.get(key)).toBeUndefined();
    await store.put(key, bytes, later);
    expect(Buffer.compare(Buffer.from((await store.get(key))!), bytes)).toBe(0);
    await store.put(key, bytes.subarray(10, 20), later);
    expect([...(await store.get(key))!]).toEqual([...bytes.subarray(10, 20)]);
    await store.delete(key);
    expect(await store.get(key)).toBeUndefined();
    await store.delete(key);
  });
});

it('fileStore: what has expired is gone; keys stay in the folder; nothing half-written is left', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sd-store-'));
  const store = fileStore(folder);
  await store.put('a/b.png', bytes, { ttlMs: -1_000 });
  expect(await store.get('a/b.png')).toBeUndefined();
  await store.put('a/b.png', bytes, later);
  expect(await readdir(path.join(folder, 'a'))).toEqual(['b.png']);
  await expect(store.get('../b.png')).rejects.toMatchObject({ code: 'invalid-option' });
  await expect(store.put('a/../../b.png', bytes, later)).rejects.toMatchObject({ code: 'invalid-option' });
  await expect(store.put('a/b.png/c', bytes, later)).rejects.toMatchObject({ syscall: 'mkdir' });
  await rm(folder, { recursive: true });
});

it('s3Store: says what the service answered', async () => {
  const server = await startS3('images');
  const open = (settings: object) =>
    s3Store({ ...credentials, bucket: 'images', endpoint: server.endpoint, ...settings });
  const missing = open({ bucket: 'none' });
  await expect(missing.put(key, bytes, later)).rejects.toThrow(/404.*NoSuchBucket/);
  await expect(missing.get(key)).rejects.toMatchObject({ code: 'not-found' });
  await expect(open({ secretAccessKey: 'wrong' }).get(key)).rejects.toThrow(/403.*SignatureDoesNotMatch/);
  server.close();
});

it('a store is chosen by its address', async () => {
  const { redis, close } = connect({ lazyConnect: true }, { retries: 0 });
  const open = (store: unknown) => openStore(store as string, redis, keysOf('sd'));
  expect(() => open({ put() {} })).toThrow(/put, get and delete/);
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  expect(() => open('s3://images')).toThrow(/AWS_ACCESS_KEY_ID/);
  const server = await startS3('images');
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  await open(`s3://images/sd/?endpoint=${server.endpoint}&region=eu-central-1`).put('a.png', bytes, later);
  expect([...server.objects.keys()]).toEqual(['sd/a.png']);
  vi.unstubAllEnvs();
  server.close();
  close();
});
