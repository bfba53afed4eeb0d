import type { Redis } from 'ioredis';
import { type Keys, laneOfId } from '../keys.js';
import { runScript, script } from './run-script.js';

/** How many events of a job are kept: the newest. */
const keptEvents = 500;

/**
 * Appends an event to a job's stream, once for each ending. A worker's events need its lock, which another has after a
 * stall: what a worker says that lost its job is not heard.
 */
const appendScript = script(`
local job, events, lock = KEYS[1], KEYS[2], KEYS[3]
local token, event, ending, kept, keep, channel = unpack(ARGV)
if token ~= '' and redis.call('GET', lock) ~= token then return 'lost' end
if token ~= '' and redis.call('HEXISTS', job, 'cancelled') == 1 then return 'cancelled' end
if redis.call('HEXISTS', job, 'ended') == 1 then return 'ended' end
if ending ~= '' then redis.call('HSET', job, 'ended', ending) end
redis.call('XADD', events, 'MAXLEN', '~', kept, '*', 'event', event)
redis.call('PEXPIRE', events, keep)
if ending ~= '' then redis.call('PEXPIRE', job, keep) end
redis.call('PUBLISH', channel, '')
return 'appended'
`);

export interface Appended {
  readonly id: string;
  /** The event, as JSON. */
  readonly event: string;
  /** The lock of the worker that says so; none where it has been decided at BullMQ. */
  readonly token?: string;
  /** Whether it is the last. */
  readonly isLast?: boolean;
  /** For how long the events are kept from now on. */
  readonly keepMs: number;
}

/** `lost`: another worker has the job now. `ended`: it has its last event already. */
export type AppendResult = 'appended' | 'lost' | 'cancelled' | 'ended';

export async function append(redis: Redis, keys: Keys, appended: Appended): Promise<AppendResult> {
  const { id, event, token = '', isLast = false, keepMs } = appended;
  return (await runScript(
    redis,
    appendScript,
    [keys.job(id), keys.events(id), keys.bull(laneOfId(id), `${id}:lock`)],
    [token, event, isLast ? 'yes' : '', keptEvents, keepMs, keys.eventChannel(id)],
  )) as AppendResult;
}
