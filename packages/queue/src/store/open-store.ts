import { InvalidOptionError, show } from '@sd/core';
import type { Redis } from 'ioredis';
import type { Keys } from '../keys.js';
import { fileStore } from './file-store.js';
import { redisStore } from './redis-store.js';
import { s3Store } from './s3-store.js';
import type { Store } from './store.js';

/**
 * Where images are: a store, `redis` for the queue's own server (the default), a folder that all machines share, or
 * `s3://bucket/prefix?endpoint=https://…&region=…` with the keys in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
 */
export type StoreOption = Store | string;

/** Throws an InvalidOptionError for what is no store. */
export function openStore(store: StoreOption | undefined, redis: Redis, keys: Keys): Store {
  if (store === undefined || store === 'redis') return redisStore(redis, keys);
  if (typeof store !== 'string') {
    const isStore = (['put', 'get', 'delete'] as const).every((name) => typeof store?.[name] === 'function');
    if (isStore) return store;
    throw new InvalidOptionError('store', `must have put, get and delete, unlike ${show(store)}.`);
  }
  return store.startsWith('s3://') ? s3FromAddress(new URL(store)) : fileStore(store);
}

function s3FromAddress({ hostname, pathname, searchParams }: URL): Store {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL } = process.env;
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new InvalidOptionError('store', 's3:// needs the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.');
  }
  return s3Store({
    bucket: hostname,
    prefix: pathname.slice(1),
    endpoint: searchParams.get('endpoint') ?? AWS_ENDPOINT_URL,
    region: searchParams.get('region') ?? AWS_REGION,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  });
}
