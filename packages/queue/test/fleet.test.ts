import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPipeline } from '@sd/pipeline';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { needsRedis, redisBinary, startRedis } from '../../../fixtures/redis-server.js';
import { createQueue, type DrawQueue, type JobEvent, type JobHandle } from '../src/index.js';

const script = fileURLToPath(new URL('fleet-worker.mjs', import.meta.url));
const size = { width: 16, height: 16, steps: 1 } as const;

/** Processes that are started again when they die, as a supervisor does. */
class Fleet {
  readonly processes = new Set<ChildProcess>();
  deaths = 0;
  private isStopping = false;

  constructor(private readonly args: readonly string[]) {}

  start(): void {
    const child = fork(script, this.args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.processes.add(child);
    child.once('exit', (_, signal) => {
      this.processes.delete(child);
      if (signal === 'SIGKILL') this.deaths++;
      if (!this.isStopping) this.start();
    });
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    const ended = [...this.processes].map(
      (child) =>
        new Promise((resolve) => {
          child.once('exit', resolve);
          child.kill('SIGTERM');
        }),
    );
    await Promise.all(ended);
  }
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(redisBinary === undefined)(`a fleet of four processes${needsRedis}`, () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let queue: DrawQueue;
  let fleet: Fleet;
  let folder: string;

  beforeAll(async () => {
    server = await startRedis();
    folder = await mkdtemp(path.join(tmpdir(), 'sd-fleet-'));
    queue = createQueue({ connection: server.url, store: folder });
    fleet = new Fleet([server.url, folder]);
    for (let i = 0; i < 4; i++) fleet.start();
  });

  afterAll(async () => {
    await fleet.stop();
    await queue.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('draws 200 jobs, two workers killed and one job that kills its workers, each once and to the bit', async () => {
    const seeds = Array.from({ length: 200 }, (_, i) => i % 10);
    const request = (seed: number) => ({ prompt: `a car, ${seed}`, seed, ...size });
    const poison = await queue.enqueue({ model: 'poison', request: { prompt: 'a', ...size } }, { priority: 'high' });
    const handles = await Promise.all(
      seeds.map((seed, i) => queue.enqueue({ model: 'small', request: request(seed), user: `user ${i % 3}` })),
    );
    const long = await queue.enqueue(
      { model: 'small', request: { ...request(0), steps: 1000, count: 50 } },
      { priority: 'high' },
    );

    const cancelled = new Set([150, 160, 170, 180, 190]);
    await Promise.all([...cancelled].map((i) => handles[i].cancel()));
    await cancelWhileItIsDrawn(long);
    const killing = (async () => {
      await handles[30].result();
      await killOneThatDraws(fleet, queue);
      await handles[100].result();
      await killOneThatDraws(fleet, queue);
    })();

    const outcomes = await Promise.allSettled(handles.map((handle) => handle.result()));
    await killing;
    const drawn = outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' ? [{ i, ...outcome.value }] : []));
    const refused = outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [{ i, ...outcome }] : []));
    expect(refused.map(({ i }) => i)).toEqual([...cancelled]);
    expect(refused.every(({ reason }) => reason.code === 'job-cancelled')).toBe(true);
    expect(drawn.every(({ images }) => images.length === 1)).toBe(true);

    await expect(poison.result()).rejects.toMatchObject({ code: 'job-failed', message: /Two workers died/ });
    expect(fleet.deaths).toBe(4);

    const direct = await drawDirectly([...new Set(seeds)].map(request));
    const bytes = await Promise.all(drawn.map(({ images }) => images[0].bytes()));
    expect(bytes.map(digest)).toEqual(drawn.map(({ i }) => direct[seeds[i]]));

    await expectEachOnce([...handles, long, poison]);
    expect(await queue.waiting()).toBe(0);
    expect(await endedAtBullMq(handles[0].id, server.url)).toEqual({ completed: 195, failed: 1 });
  }, 300_000);
});

/** Cancels a job at its third step or later, and expects that it was not drawn to its end. */
async function cancelWhileItIsDrawn(long: JobHandle): Promise<void> {
  const seen: JobEvent[] = [];
  for await (const event of long.events()) {
    seen.push(event);
    if (event.type === 'step' && event.step >= 2) await long.cancel();
  }
  expect(seen.at(-1)?.type).toBe('cancelled');
}

async function killOneThatDraws(fleet: Fleet, queue: DrawQueue): Promise<void> {
  const workers = await queue.workers();
  const pids = [...fleet.processes].map(({ pid }) => pid);
  const busy = workers.find(({ id, job }) => job !== undefined && pids.includes(Number(id.split('-').at(-2))));
  const victim = [...fleet.processes].find(
    ({ pid }) => busy === undefined || busy.id.split('-').at(-2) === String(pid),
  );
  const died = new Promise((resolve) => {
    victim?.once('exit', resolve);
  });
  victim?.kill('SIGKILL');
  await died;
}

async function drawDirectly(requests: readonly { readonly prompt: string }[]): Promise<string[]> {
  const sd = await loadPipeline(fixture('models/sd1'));
  const digests: string[] = [];
  for (const request of requests) {
    const { images } = await sd.generate(request);
    digests.push(digest(await images[0].toPng()));
  }
  await sd.dispose();
  return digests;
}

/** Every job's stream has one ending, and it is the last event. */
async function expectEachOnce(handles: readonly JobHandle[]): Promise<void> {
  for (const handle of handles) {
    const types: string[] = [];
    for await (const { type } of handle.events()) types.push(type);
    expect(types.filter((type) => ['done', 'failed', 'cancelled'].includes(type))).toHaveLength(1);
  }
}

/** What BullMQ counts in the lane of a job. */
async function endedAtBullMq(id: string, url: string) {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const lane = new Queue(id.slice(0, id.indexOf('-')), { connection: redis, prefix: '{sd}' });
  const { completed, failed } = await lane.getJobCounts('completed', 'failed');
  redis.disconnect();
  return { completed, failed };
}
