import type { Store } from './store.js';

/** What this uses of an unstorage storage. */
export interface UnstorageLike {
  getItemRaw(key: string): Promise<unknown>;
  setItemRaw(key: string, value: unknown, options?: { readonly ttl?: number }): Promise<void>;
  removeItem(key: string): Promise<void>;
}

/**
 * Keeps images in a storage of the package unstorage, which has drivers for S3 and R2, Azure, Google Cloud, Vercel and more:
 * `unstorageStore(createStorage({ driver: s3Driver({ … }) }))`.
 */
export function unstorageStore(storage: UnstorageLike): Store {
  return {
    async put(key, bytes, { ttlMs }) {
      await storage.setItemRaw(key, bytes, { ttl: Math.ceil(ttlMs / 1000) });
    },
    async get(key) {
      const found = await storage.getItemRaw(key);
      if (found === null || found === undefined) return undefined;
      return found instanceof Uint8Array ? found : new Uint8Array(found as ArrayBuffer);
    },
    async delete(key) {
      await storage.removeItem(key);
    },
  };
}
