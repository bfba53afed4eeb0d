import { createRedisBackend, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { StoredJob } from './job.js';
import type { Keys } from './keys.js';
import type { JobResultData } from './result.js';

/** BullMQ's queue of one lane, as those who queue jobs see it. */
export type LaneQueue = Queue<StoredJob, JobResultData, 'draw'>;
/** The same as a worker sees it. */
export type LaneWorker = Worker<StoredJob, JobResultData, 'draw'>;

interface LaneClient {
  on(event: 'error', listener: () => void): unknown;
  close(): Promise<void>;
}

/** One client for each lane, over one connection, made when it is first asked for. The oldest make room for new ones. */
export interface Lanes<Client> {
  get(lane: string): Client;
}

/** A client is two objects and no connection, so that this is about memory alone. */
const keptLanes = 1000;

function lanesOf<Client extends LaneClient>(create: (lane: string) => Client): Lanes<Client> {
  const clients = new Map<string, Client>();
  function dropOldest(): void {
    const [[lane, client]] = clients;
    clients.delete(lane);
    client.close().catch(() => undefined);
  }
  return {
    get(lane) {
      let client = clients.get(lane);
      if (client === undefined) {
        client = create(lane);
        // Calls reject as well.
        client.on('error', () => undefined);
        if (clients.size >= keptLanes) dropOldest();
      } else {
        clients.delete(lane);
      }
      clients.set(lane, client);
      return client;
    },
  };
}

/** BullMQ's own events serve its dashboards; ours have a stream for each job. */
const streams = { events: { maxLen: 100 } };

export function laneQueues(redis: Redis, { prefix }: Keys): Lanes<LaneQueue> {
  return lanesOf(
    (lane) => new Queue<StoredJob, JobResultData, 'draw'>(lane, { connection: redis, prefix, streams }) as LaneQueue,
  );
}

export interface LaneWorkerOptions {
  /** For how long a lock holds that is not renewed. */
  readonly lockMs: number;
  readonly stalledCheckMs: number;
}

/** Workers that fetch jobs when they are asked to, and none by themselves. */
export function laneWorkers(redis: Redis, { prefix }: Keys, options: LaneWorkerOptions): Lanes<LaneWorker> {
  const { lockMs, stalledCheckMs } = options;
  return lanesOf(
    (lane) =>
      new Worker<StoredJob, JobResultData, 'draw'>(
        lane,
        null,
        {
          connection: redis,
          prefix,
          autorun: false,
          lockDuration: lockMs,
          stalledInterval: stalledCheckMs,
          // A job whose worker died is drawn once more; after a second death, it fails.
          maxStalledCount: 1,
        },
        // No connection that blocks: a worker waits for all lanes at once, by a channel.
        (name, opts, extra) => createRedisBackend(name, opts, { ...extra, withBlockingConnection: false }),
      ) as LaneWorker,
  );
}
