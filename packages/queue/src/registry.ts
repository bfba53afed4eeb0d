import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** What a worker says of itself, every few seconds. */
export interface WorkerInfo {
  readonly id: string;
  /** The models that it can draw with. */
  readonly models: readonly string[];
  readonly loras: readonly string[];
  /** The models in its memory. */
  readonly loaded: readonly string[];
  /** The job that it draws now. */
  readonly job?: string | undefined;
}

/** A worker that has been silent for this long is taken to be gone. */
const silentMs = 30_000;
/** For how long models are remembered that no live worker has: a fleet may be switched off overnight. */
const rememberedMs = 7 * 24 * 3_600_000;

export async function announce(redis: Redis, keys: Keys, worker: WorkerInfo): Promise<void> {
  const now = Date.now();
  const update = redis.multi().hset(keys.workers, worker.id, JSON.stringify({ ...worker, seen: now }));
  for (const name of worker.models) update.zadd(keys.models, now, name);
  for (const name of worker.loras) update.zadd(keys.loras, now, name);
  await update
    .zremrangebyscore(keys.models, '-inf', now - rememberedMs)
    .zremrangebyscore(keys.loras, '-inf', now - rememberedMs)
    .exec();
}

export async function leave(redis: Redis, keys: Keys, id: string): Promise<void> {
  await redis.hdel(keys.workers, id);
}

/** The workers that live. The others are removed. */
export async function liveWorkers(redis: Redis, keys: Keys): Promise<WorkerInfo[]> {
  const entries = Object.entries(await redis.hgetall(keys.workers));
  const all = entries.map(([, text]) => JSON.parse(text) as WorkerInfo & { readonly seen: number });
  const oldest = Date.now() - silentMs;
  const gone = all.filter(({ seen }) => seen < oldest).map(({ id }) => id);
  if (gone.length > 0) await redis.hdel(keys.workers, ...gone);
  return all.filter(({ seen }) => seen >= oldest).map(({ seen: _, ...worker }) => worker);
}

/** Names of models, in order; `loaded` are in a live worker's memory. */
export async function knownModels(redis: Redis, keys: Keys) {
  const [names, workers] = await Promise.all([redis.zrange(keys.models, 0, -1), liveWorkers(redis, keys)]);
  // In the order of a worker's list, whose first is its default.
  const ordered = new Set([...workers.flatMap(({ models }) => models), ...names]);
  return { names: [...ordered], loaded: [...new Set(workers.flatMap(({ loaded }) => loaded))] };
}
