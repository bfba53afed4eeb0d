import type { Redis } from 'ioredis';
import type { Keys } from '../keys.js';
import type { Store } from './store.js';

/** Keeps images in Redis itself: nothing to set up, for some thousands of images at a time. */
export function redisStore(redis: Redis, { prefix }: Keys): Store {
  const at = (key: string) => `${prefix}:store:${key}`;
  return {
    async put(key, bytes, { ttlMs }) {
      await redis.set(at(key), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 'PX', Math.ceil(ttlMs));
    },
    async get(key) {
      return (await redis.getBuffer(at(key))) ?? undefined;
    },
    async delete(key) {
      await redis.del(at(key));
    },
  };
}
