import type { Redis } from 'ioredis';
import type { Keys } from '../keys.js';
import { runScript, script } from './run-script.js';

export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];

/** BullMQ has 2^21 priorities; a third of them for each of ours. */
const roundsPerPriority = Math.floor(2 ** 21 / priorities.length);

/** The class of a priority at BullMQ, from 0. */
export function classOf(priority: number): number {
  return Math.floor((priority - 1) / roundsPerPriority);
}

/**
 * Takes a job in, if fewer than the limit wait, and gives it its priority at BullMQ: those of one class are ordered by
 * round. A user's next job is of the round after that of the user's latest job, but never of an earlier round than the one
 * that is being drawn: start-time fair queueing (Goyal, Vin, Cheng 1996) with jobs of equal cost.
 *
 * Rounds are counted from the last time at which no job waited. Beyond the last of a class, jobs are in order of arrival.
 */
const admitScript = script(`
local waiting, waitingInLane, rounds, clock, lanes, job = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, lane, needs, user, class, limit, span, keep = unpack(ARGV)
local known = redis.call('HGET', job, 'priority')
if known then return { 'known', known } end
local count = redis.call('ZCARD', waiting)
if count >= tonumber(limit) then
  return { 'busy', count, redis.call('HGET', clock, 'meanMs') or '0' }
end
local round = tonumber(redis.call('HGET', clock, 'round') or '1')
local base = tonumber(redis.call('HGET', clock, 'base') or '0')
if count == 0 then
  base = round - 1
  redis.call('HSET', clock, 'base', base)
end
local latest = tonumber(redis.call('ZSCORE', rounds, user) or '0')
local own = math.max(round, latest + 1)
redis.call('ZADD', rounds, own, user)
redis.call('ZREMRANGEBYSCORE', rounds, '-inf', round - 1)
local priority = class * span + math.max(1, math.min(own - base, span))
local time = redis.call('TIME')
redis.call('HSET', lanes, lane, needs)
redis.call('ZADD', waiting, time[1] * 1000 + math.floor(time[2] / 1000), id)
redis.call('ZADD', waitingInLane, time[1] * 1000 + math.floor(time[2] / 1000), id)
redis.call('HSET', job, 'priority', priority, 'round', own)
redis.call('PEXPIRE', job, keep)
return { 'new', priority }
`);

export type Admission =
  | { readonly kind: 'new' | 'known'; readonly priority: number }
  | { readonly kind: 'busy'; readonly waiting: number; readonly meanMs: number };

export interface Arrival {
  readonly id: string;
  readonly lane: string;
  /** What the lane's jobs need, as JSON. */
  readonly needs: string;
  readonly user: string;
  readonly priority: Priority;
  /** How many jobs may wait. */
  readonly limit: number;
  /** For how long a job is remembered that never ends. */
  readonly keepMs: number;
}

export async function admit(redis: Redis, keys: Keys, arrival: Arrival): Promise<Admission> {
  const { id, lane, needs, user, priority, limit, keepMs } = arrival;
  const [kind, first, meanMs] = (await runScript(
    redis,
    admitScript,
    [keys.waiting, keys.waitingIn(lane), keys.rounds, keys.clock, keys.lanes, keys.job(id)],
    [id, lane, needs, user, priorities.indexOf(priority), limit, roundsPerPriority, keepMs],
  )) as [Admission['kind'], number, string];
  if (kind === 'busy') return { kind, waiting: Number(first), meanMs: Number(meanMs) };
  return { kind, priority: Number(first) };
}
