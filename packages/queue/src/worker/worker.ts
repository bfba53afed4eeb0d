import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { checkOptions, checkText, checkWhole, type OptionTable } from '@sd/core/options';
import type { Pipeline } from '@sd/pipeline';
import { type ConnectionOption, connect } from '../connection.js';
import { keysOf } from '../keys.js';
import { laneQueues, laneWorkers } from '../lanes.js';
import { announce, leave } from '../registry.js';
import { listLanes } from '../scripts/list-lanes.js';
import { openStore, type StoreOption } from '../store/open-store.js';
import { chooseLanes } from './choose-lane.js';
import { maintain } from './maintain.js';
import { createModels, type WorkerModel } from './models.js';
import { type RunningJob, runJob } from './run-job.js';

export interface WorkerOptions {
  /** `redis://…`, or the options of ioredis. */
  readonly connection: ConnectionOption;
  /** What it draws with, by the names that jobs use; by default the embedded model, as `tiny`. */
  readonly models?: Readonly<Record<string, WorkerModel>> | undefined;
  /** LoRAs, by the names that jobs use. */
  readonly loras?: Readonly<Record<string, Parameters<Pipeline['attach']>[0]>> | undefined;
  /** How many models stay in memory: 1 by default. */
  readonly maxLoaded?: number | undefined;
  /** Where images are; the same as the queue's. By default in Redis. */
  readonly store?: StoreOption | undefined;
  /** The queue's name: `sd` by default. */
  readonly name?: string | undefined;
  /** For how long a job may wait for a worker that has its model loaded: 30 seconds by default. */
  readonly patienceMs?: number | undefined;
  /** After how long without a sign of life a worker is taken to be dead, and its job is drawn anew: 30 seconds by default. */
  readonly deadAfterMs?: number | undefined;
  /** For how long results are kept: an hour by default. */
  readonly keepMs?: number | undefined;
  /** Called with each job that ended here, after all is done. */
  readonly onJob?: ((job: { readonly id: string; readonly milliseconds: number }) => void) | undefined;
  /** Called with what went wrong between jobs, such as a lost connection. The worker goes on. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Draws jobs, one at a time. */
export interface DrawWorker {
  /** Its name among the workers. */
  readonly id: string;
  /**
   * Fetches no more jobs, and waits for the current one; after `graceMs`, 30 seconds by default, gives it back to the queue.
   * Frees everything. Can be called again with less time.
   */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

const whole = (least: number) => ({
  type: 'number',
  check: (option: string, value: unknown) => checkWhole(option, value, least),
});

const workerTable: OptionTable<WorkerOptions> = {
  connection: { type: 'string | RedisOptions', text: '`redis://…`, or the options of ioredis.' },
  models: { type: 'object', text: 'What it draws with, by name.' },
  loras: { type: 'object', text: 'LoRAs, by name.' },
  maxLoaded: { ...whole(1), text: 'How many models stay in memory.' },
  store: { type: 'string | Store', text: 'Where images are.' },
  name: { type: 'string', text: "The queue's name.", check: checkText },
  patienceMs: { ...whole(0), text: 'How long a job waits for a worker that has its model.' },
  deadAfterMs: { ...whole(500), text: 'After how long a silent worker counts as dead.' },
  keepMs: { ...whole(1), text: 'How long results are kept.' },
  onJob: { type: 'function', text: 'Called with each job that ended.' },
  onError: { type: 'function', text: 'Called with what went wrong between jobs.' },
};

/** How often to look for jobs where no message came, and how often a worker says that it lives. */
const lookMs = 2_000;
const announceMs = 5_000;

/** Starts a worker. Throws an InvalidOptionError; models are loaded with the first job that needs them. */
export function createWorker(options: WorkerOptions): DrawWorker {
  checkOptions(options, workerTable, { of: 'createWorker()' });
  const { connection, name = 'sd', maxLoaded = 1, patienceMs = 30_000, deadAfterMs = 30_000 } = options;
  const { keepMs = 3_600_000, onJob, onError } = options;
  const keys = keysOf(name);
  const connections = connect(connection, { retries: null });
  const { redis } = connections;
  const store = openStore(options.store, redis, keys);
  const models = createModels({ models: options.models ?? { tiny: {} }, loras: options.loras ?? {}, maxLoaded });
  const lanes = laneWorkers(redis, keys, { lockMs: deadAfterMs, stalledCheckMs: Math.ceil(deadAfterMs / 3) });
  const id = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const queues = laneQueues(redis, keys);
  const context = {
    workerId: id,
    name,
    redis,
    keys,
    store,
    queues,
    models,
    lockMs: deadAfterMs,
    keepMs,
    onError: report,
  };
  let isClosing = false;
  let current: RunningJob | undefined;
  let loadedAt = 0;
  let meanMs = 0;
  let wake = () => {};

  function report(error: unknown): void {
    if (!isClosing) onError?.(error);
  }

  /** The next job that this worker should draw, with its lock. */
  async function fetchJob() {
    const states = await listLanes(redis, keys);
    const { fits, affinity } = models;
    for (const { lane, needs } of chooseLanes(states, {
      fits,
      affinity,
      patienceMs,
      sinceLoadMs: Date.now() - loadedAt,
    })) {
      if (isClosing) return undefined;
      const worker = lanes.get(lane);
      const token = randomUUID();
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined) continue;
      if (affinity(needs) < 2) loadedAt = Date.now();
      return { job, token, worker };
    }
    return undefined;
  }

  async function drawNext(): Promise<boolean> {
    const fetched = await fetchJob();
    if (fetched === undefined) return false;
    const start = performance.now();
    current = runJob(fetched.job, fetched.token, fetched.worker, context);
    if (isClosing) current.stop('returned');
    const { id: jobId } = current;
    try {
      await current.ended;
    } finally {
      current = undefined;
    }
    const milliseconds = performance.now() - start;
    meanMs = meanMs === 0 ? milliseconds : 0.8 * meanMs + 0.2 * milliseconds;
    await redis.hset(keys.clock, 'meanMs', Math.round(meanMs));
    onJob?.({ id: jobId, milliseconds });
    return true;
  }

  async function drawAll(): Promise<void> {
    while (!isClosing) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      try {
        if (await drawNext()) continue;
      } catch (error) {
        report(error);
      }
      if (isClosing) return;
      await Promise.race([woken, delay(lookMs)]);
    }
  }

  const ignoring = (work: () => Promise<unknown>) => async () => {
    try {
      await work();
    } catch (error) {
      report(error);
    }
  };
  const sayAlive = ignoring(() => {
    const { names, loras, loaded } = models;
    return announce(redis, keys, { id, models: names, loras, loaded, job: current?.id });
  });
  const stops = [
    every(announceMs, sayAlive),
    every(
      Math.ceil(deadAfterMs / 3),
      ignoring(() => maintain({ ...context, lanes })),
    ),
  ];
  const listening = Promise.all([
    connections.listen(keys.wakeChannel, () => wake()),
    connections.listen(keys.cancelChannel, (jobId) => {
      if (current?.id === jobId) current.stop('cancelled');
    }),
  ]).catch(report);
  const drawing = listening.then(drawAll);

  async function close(graceMs: number): Promise<void> {
    isClosing = true;
    wake();
    for (const stop of stops) stop();
    // Redis that cannot be reached is not waited for: the lock runs out.
    await Promise.race([drawing, delay(graceMs + 5_000)]);
    await Promise.race([leave(redis, keys, id).catch(() => undefined), delay(1_000)]);
    connections.close();
    await models.dispose();
  }

  let closed: Promise<void> | undefined;
  return {
    id,
    close({ graceMs = 30_000 } = {}) {
      closed ??= close(graceMs);
      const timer = setTimeout(() => current?.stop('returned'), graceMs);
      return closed.finally(() => clearTimeout(timer));
    },
  };
}

/** Calls at once and every so often, never twice at the same time. */
function every(ms: number, work: () => Promise<void>): () => void {
  let isWorking = false;
  const call = async () => {
    if (isWorking) return;
    isWorking = true;
    await work();
    isWorking = false;
  };
  call();
  const timer = setInterval(call, ms);
  return () => clearInterval(timer);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
