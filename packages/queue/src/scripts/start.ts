import type { Redis } from 'ioredis';
import { type Keys, laneOfId } from '../keys.js';
import { runScript, script } from './run-script.js';

/** A job no longer waits: its round is the one that new users begin with. */
const startScript = script(`
local waiting, waitingInLane, clock, job = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id = ARGV[1]
redis.call('ZREM', waiting, id)
redis.call('ZREM', waitingInLane, id)
local round = tonumber(redis.call('HGET', job, 'round') or '0')
if round > tonumber(redis.call('HGET', clock, 'round') or '1') then redis.call('HSET', clock, 'round', round) end
return redis.call('HINCRBY', job, 'starts', 1)
`);

/** Takes a job out of those that wait. Resolves to how many times it has been started. */
export async function start(redis: Redis, keys: Keys, id: string): Promise<number> {
  const lane = laneOfId(id);
  return (await runScript(
    redis,
    startScript,
    [keys.waiting, keys.waitingIn(lane), keys.clock, keys.job(id)],
    [id],
  )) as number;
}

/** Puts a job that is given back among those that wait. */
export async function unstart(redis: Redis, keys: Keys, id: string, cameMs: number): Promise<void> {
  await redis
    .multi()
    .zadd(keys.waiting, cameMs, id)
    .zadd(keys.waitingIn(laneOfId(id)), cameMs, id)
    .exec();
}
