import type { Redis } from 'ioredis';
import type { Keys } from '../keys.js';
import { laneOfId } from '../keys.js';
import type { Lanes, LaneWorker } from '../lanes.js';
import { append } from '../scripts/append.js';
import { listLanes } from '../scripts/list-lanes.js';
import type { Store } from '../store/store.js';
import type { Models } from './models.js';

export interface MaintainContext {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly lanes: Lanes<LaneWorker>;
  readonly models: Models;
  readonly store: Store;
  readonly keepMs: number;
}

/** Images that are deleted in one go. */
const batch = 50;
/** A caller that died while it queued a job leaves a place in the line: it is given up after this long. */
const orphanMs = 60_000;

/** What every worker does now and then for the whole fleet; it does not matter which does, nor whether several do. */
export async function maintain(context: MaintainContext): Promise<void> {
  await takeBackJobs(context);
  await forgetOrphans(context);
  await deleteExpired(context);
}

/** Jobs whose workers died wait again, or fail if that happens for the second time. */
async function takeBackJobs({ redis, keys, lanes, models }: MaintainContext): Promise<void> {
  for (const { lane, needs, active } of await listLanes(redis, keys)) {
    if (active === 0 || !models.fits(needs)) continue;
    const returned = await lanes.get(lane).getBackend().moveStalledJobsToWait();
    if (returned.length > 0) await redis.publish(keys.wakeChannel, lane);
  }
}

async function forgetOrphans({ redis, keys, keepMs }: MaintainContext): Promise<void> {
  const old = await redis.zrangebyscore(keys.waiting, '-inf', Date.now() - orphanMs, 'LIMIT', 0, batch);
  for (const id of old) {
    const lane = laneOfId(id);
    if ((await redis.exists(keys.bull(lane, id))) === 1) continue;
    await redis.multi().zrem(keys.waiting, id).zrem(keys.waitingIn(lane), id).exec();
    const failure = { name: 'Error', message: 'The job was never queued: its caller died meanwhile.', fields: {} };
    await append(redis, keys, { id, event: JSON.stringify({ type: 'failed', failure }), isLast: true, keepMs });
  }
}

async function deleteExpired({ redis, keys, store }: MaintainContext): Promise<void> {
  const expired = await redis.zrangebyscore(keys.expiry, '-inf', Date.now(), 'LIMIT', 0, batch);
  for (const key of expired) {
    await store.delete(key);
    await redis.zrem(keys.expiry, key);
  }
}
