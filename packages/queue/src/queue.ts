import { randomUUID } from 'node:crypto';
import {
  BusyError,
  InvalidOptionError,
  messageOf,
  show,
  throwIfAborted,
  UnknownModelError,
  untilAborted,
} from '@sd/core';
import { checkOptions, checkText, checkWhole, type OptionTable, oneOf } from '@sd/core/options';
import { type ConnectionOption, connect } from './connection.js';
import { QueueUnreachableError } from './errors.js';
import { createHandle, type JobHandle } from './handle.js';
import {
  checkJob,
  type DrawJob,
  fileOptions,
  type JobRequest,
  jobVersion,
  laneOf,
  packRequest,
  type StoredJob,
  withSeeds,
} from './job.js';
import { keysOf, longestJobMs } from './keys.js';
import { laneQueues } from './lanes.js';
import { knownModels, liveWorkers, type WorkerInfo } from './registry.js';
import { admit, type Priority, priorities } from './scripts/admit.js';
import { putUntil } from './store/expiry.js';
import { openStore, type StoreOption } from './store/open-store.js';
import { isConnectionError } from './watch.js';

export interface QueueOptions {
  /** `redis://…`, or the options of ioredis. */
  readonly connection: ConnectionOption;
  /** Where images are; the same as the workers'. By default in Redis. */
  readonly store?: StoreOption | undefined;
  /** The queue's name, which all its keys begin with: `sd` by default. */
  readonly name?: string | undefined;
  /** How many jobs may wait; more are refused with a BusyError. 1000 by default. */
  readonly maxWaiting?: number | undefined;
  /** For how long results are kept, and the images that jobs start from: an hour by default. */
  readonly keepMs?: number | undefined;
}

export interface EnqueueOptions {
  /** `high` before `normal`, the default, before `low`. */
  readonly priority?: Priority | undefined;
  /** Jobs of one id are queued once, so that a call that failed half-way can be repeated. Random by default. */
  readonly id?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Queues jobs, and says what became of them. */
export interface DrawQueue {
  /**
   * Queues a job. Rejects with an InvalidOptionError for options that no model can have, an UnknownModelError if there have
   * been workers, but none that had the model, a BusyError if too many jobs wait, a QueueUnreachableError, or an AbortError.
   */
  enqueue(job: DrawJob, options?: EnqueueOptions): Promise<JobHandle>;
  /** A job that was queued before, here or elsewhere, by its handle's id. */
  job(id: string): JobHandle;
  /** The names of models that workers have, the default first, and those in memory. Workers are remembered for a week. */
  models(): Promise<{ readonly names: readonly string[]; readonly loaded: readonly string[] }>;
  /** The names of LoRAs that workers have. */
  loras(): Promise<readonly string[]>;
  /** The workers that live. */
  workers(): Promise<readonly WorkerInfo[]>;
  /** How many jobs wait. */
  waiting(): Promise<number>;
  /** Whether Redis is connected. */
  readonly isConnected: boolean;
  /** Ends the connection. Jobs go on. */
  close(): Promise<void>;
}

const queueTable: OptionTable<QueueOptions> = {
  connection: { type: 'string | RedisOptions', text: '`redis://…`, or the options of ioredis.' },
  store: { type: 'string | Store', text: 'Where images are.' },
  name: { type: 'string', text: "The queue's name.", check: checkName },
  maxWaiting: { type: 'number', text: 'How many jobs may wait.', check: (name, value) => checkWhole(name, value, 1) },
  keepMs: { type: 'number', text: 'How long results are kept.', check: (name, value) => checkWhole(name, value, 1) },
};

const enqueueTable: OptionTable<EnqueueOptions> = {
  priority: { ...oneOf(...priorities), text: 'Which jobs are drawn first.' },
  id: { type: 'string', text: 'Jobs of one id are queued once.', check: checkName },
  signal: { type: 'AbortSignal', text: 'Ends the call.' },
};

function checkName(option: string, value: unknown): void {
  checkText(option, value);
  if (/^[\w-]{1,100}$/.test(value)) return;
  throw new InvalidOptionError(option, `must have letters, digits, - and _ alone, unlike ${show(value)}.`);
}

/** Connects to a queue. Throws an InvalidOptionError. */
export function createQueue(options: QueueOptions): DrawQueue {
  checkOptions(options, queueTable, { of: 'createQueue()' });
  const { connection, name = 'sd', maxWaiting = 1000, keepMs = 3_600_000 } = options;
  const keys = keysOf(name);
  const connections = connect(connection, { retries: 5 });
  const { redis } = connections;
  const store = openStore(options.store, redis, keys);
  const lanes = laneQueues(redis, keys);
  const context = { connections, keys, lanes, store, keepMs };

  /** Stores the images that a job starts from. Resolves to their keys. */
  async function storeFiles(id: string, request: JobRequest): Promise<Record<string, string>> {
    const files: Record<string, string> = {};
    const ttlMs = longestJobMs + keepMs;
    for (const option of fileOptions) {
      const bytes = request[option];
      if (bytes === undefined) continue;
      files[option] = `${name}/inputs/${id}/${option}`;
      await putUntil({ redis, keys, store }, files[option], bytes, ttlMs);
    }
    return files;
  }

  async function deleteFiles(files: Readonly<Record<string, string>>): Promise<void> {
    for (const key of Object.values(files)) {
      await store.delete(key);
      await redis.zrem(keys.expiry, key);
    }
  }

  async function refuse(waiting: number, meanMs: number): Promise<never> {
    const workers = Math.max(1, (await liveWorkers(redis, keys)).length);
    throw new BusyError(waiting, Math.min(3600, Math.max(1, Math.ceil((waiting * meanMs) / workers / 1000))));
  }

  async function add(job: DrawJob, { priority = 'normal', id: given = randomUUID() }: EnqueueOptions): Promise<string> {
    const { previews = 0, user = '' } = job;
    const model = await modelOf(job);
    const request = withSeeds(job.request);
    const needs = { version: jobVersion, model, loras: await lorasOf(request) };
    const lane = laneOf(needs);
    const id = `${lane}-${given}`;
    const files = await storeFiles(id, request);
    const arrival = { id, lane, needs: JSON.stringify(needs), user, priority, limit: maxWaiting, keepMs: longestJobMs };
    const admission = await admit(redis, keys, arrival);
    if (admission.kind === 'busy') {
      await deleteFiles(files);
      return refuse(admission.waiting, admission.meanMs);
    }
    const stored: StoredJob = { ...needs, user, previews, request: packRequest(request), files };
    const age = Math.ceil(keepMs / 1000);
    // What was queued with this id before stays as it is.
    await lanes.get(lane).add('draw', stored, {
      jobId: id,
      priority: admission.priority,
      removeOnComplete: { age },
      removeOnFail: { age },
    });
    await redis.publish(keys.wakeChannel, lane);
    return id;
  }

  async function modelOf({ model }: DrawJob): Promise<string> {
    if (model !== undefined && (await redis.zscore(keys.models, model)) !== null) return model;
    const { names } = await knownModels(redis, keys);
    // The queue of a fleet that has not been started yet takes any job.
    if (names.length === 0) return model ?? 'tiny';
    if (model === undefined) return names[0];
    if (names.includes(model)) return model;
    const held = names.slice(0, 20).join(', ');
    const message = `No worker has had a model ${JSON.stringify(model)}: they have ${held}. Start one that has it first.`;
    throw new UnknownModelError(model, message);
  }

  /** Those that the job names, and those of the prompt that a worker has: others have no effect, as in A1111. */
  async function lorasOf({ prompt, syntax, loras = {} }: JobRequest): Promise<string[]> {
    const requested = Object.keys(loras);
    if (syntax === undefined) return requested.sort();
    const { parsePrompt } = await import('@sd/tokenizer/prompt');
    const inPrompt = parsePrompt(prompt, { syntax }).networks.map((network) => network.name);
    if (inPrompt.length === 0) return requested.sort();
    const known = new Set(await redis.zrange(keys.loras, 0, -1));
    return [...new Set([...requested, ...inPrompt.filter((lora) => known.has(lora))])].sort();
  }

  return {
    async enqueue(job, given = {}) {
      checkJob(job);
      checkOptions(given, enqueueTable, { of: 'enqueue()' });
      throwIfAborted(given.signal);
      const adding = add(job, given);
      try {
        return createHandle(await untilAborted(adding, given.signal), context);
      } catch (error) {
        if (given.signal?.aborted) {
          // Nobody has its handle.
          adding.then((id) => createHandle(id, context).cancel()).catch(() => undefined);
        }
        if (!isConnectionError(error)) throw error;
        throw new QueueUnreachableError(`The job could not be queued (${messageOf(error)})`, { cause: error });
      }
    },
    job(id) {
      if (/^[0-9a-f]{12}-[\w-]+$/.test(id)) return createHandle(id, context);
      throw new InvalidOptionError('id', `must be a handle's id, not ${show(id)}.`);
    },
    models: () => knownModels(redis, keys),
    loras: () => redis.zrange(keys.loras, 0, -1),
    workers: () => liveWorkers(redis, keys),
    waiting: () => redis.zcard(keys.waiting),
    get isConnected() {
      return redis.status === 'ready';
    },
    async close() {
      connections.close();
    },
  };
}
