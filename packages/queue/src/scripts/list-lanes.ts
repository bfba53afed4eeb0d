import type { Redis } from 'ioredis';
import type { Needs } from '../job.js';
import type { Keys } from '../keys.js';
import { runScript, script } from './run-script.js';

/**
 * All lanes that have jobs: what they need, how many jobs wait, how long the oldest has waited, the priority of the next,
 * whether one has been given back by a dead worker, and how many are being drawn. A lane without any is forgotten.
 */
const listLanesScript = script(`
local lanes, prefix = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
local all = redis.call('HGETALL', lanes)
for i = 1, #all, 2 do
  local lane = all[i]
  local waiting = prefix .. ':waiting:' .. lane
  local count = redis.call('ZCARD', waiting)
  local returned = redis.call('LLEN', prefix .. ':' .. lane .. ':wait')
  local active = redis.call('LLEN', prefix .. ':' .. lane .. ':active')
  local queued = redis.call('ZCARD', prefix .. ':' .. lane .. ':prioritized')
  if count + returned + active + queued == 0 then
    redis.call('HDEL', lanes, lane)
  else
    local oldest = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
    local head = redis.call('ZRANGE', prefix .. ':' .. lane .. ':prioritized', 0, 0, 'WITHSCORES')
    table.insert(found, {
      lane, all[i + 1], count, oldest[2] and now - oldest[2] or 0,
      head[2] and math.floor(head[2] / 4294967296) or 0, returned, active,
    })
  end
end
return found
`);

export interface LaneState {
  readonly lane: string;
  readonly needs: Needs;
  readonly waiting: number;
  /** How long the oldest job has waited. */
  readonly oldestMs: number;
  /** The priority of the next job, from `admit`. */
  readonly priority: number;
  /** Jobs whose worker died. */
  readonly returned: number;
  readonly active: number;
}

export async function listLanes(redis: Redis, keys: Keys): Promise<LaneState[]> {
  type Row = [string, string, ...number[]];
  const rows = (await runScript(redis, listLanesScript, [keys.lanes], [keys.prefix])) as Row[];
  return rows.map(([lane, needs, waiting, oldestMs, priority, returned, active]) => ({
    lane,
    needs: JSON.parse(needs) as Needs,
    waiting,
    oldestMs,
    priority,
    returned,
    active,
  }));
}
