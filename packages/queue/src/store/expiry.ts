import type { Redis } from 'ioredis';
import type { Keys } from '../keys.js';
import type { Store } from './store.js';

/** Stores bytes until a time that workers delete them at. */
export async function putUntil(
  { redis, keys, store }: { readonly redis: Redis; readonly keys: Keys; readonly store: Store },
  key: string,
  bytes: Uint8Array,
  ttlMs: number,
): Promise<void> {
  // First, so that nothing is stored that will not be deleted.
  await redis.zadd(keys.expiry, Date.now() + ttlMs, key);
  await store.put(key, bytes, { ttlMs });
}

/** Sets after how long the bytes of these keys are deleted. */
export async function expireAfter(redis: Redis, keys: Keys, stored: readonly string[], ttlMs: number): Promise<void> {
  if (stored.length > 0) await redis.zadd(keys.expiry, ...stored.flatMap((key) => [Date.now() + ttlMs, key]));
}
