import { readFile } from 'node:fs/promises';
import { loadPipeline } from '@sd/pipeline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { needsRedis, redisBinary, startRedis } from '../../../fixtures/redis-server.js';
import {
  createQueue,
  createWorker,
  type DrawJob,
  type DrawQueue,
  type DrawWorker,
  type JobEvent,
  type JobHandle,
  type QueueOptions,
  type WorkerOptions,
} from '../src/index.js';

const place = fixture('models/sd1');
const lora = fixture('adapters/lora-kohya/style.safetensors');
const small = { width: 16, height: 16, steps: 1 } as const;
const job = (seed: number, rest: Partial<DrawJob> = {}): DrawJob => ({
  model: 'a',
  ...rest,
  request: { prompt: 'a car', seed, ...small, ...rest.request },
});

describe.skipIf(redisBinary === undefined)(`a queue${needsRedis}`, () => {
  let server: Awaited<ReturnType<typeof startRedis>>;
  let closing: { close(): Promise<void> }[] = [];
  let names = 0;

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const each of closing.reverse()) await each.close();
    closing = [];
  });

  /** A queue of its own for each test. */
  function open(options: Partial<QueueOptions> = {}) {
    const name = `test-${names++}`;
    const queue = createQueue({ connection: server.url, name, ...options });
    closing.push(queue);
    const work = (settings: Partial<WorkerOptions> = {}): DrawWorker => {
      const worker = createWorker({
        connection: server.url,
        name,
        models: { a: { place }, b: { place } },
        deadAfterMs: 15_000,
        store: options.store,
        ...settings,
      });
      closing.push(worker);
      return worker;
    };
    return { queue, work };
  }

  it('streams what happens, and keeps it for those who come late', async () => {
    const { queue, work } = open();
    const handle = await queue.enqueue(job(7, { previews: 1, request: { prompt: 'a car', steps: 3, count: 2 } }));
    const early = collect(handle);
    await until(handle, 'queued');
    work();
    const events = await early;
    const kinds = (list: readonly JobEvent[]) => list.map(({ type }) => type).filter((type) => type !== 'step');
    expect(kinds(events)).toEqual(['queued', 'started', 'preview', 'image', 'preview', 'image', 'done']);
    expect(events.filter(({ type }) => type === 'step').length).toBeGreaterThan(0);
    const preview = events.find((event) => event.type === 'preview');
    expect(Buffer.from(preview!.bytes.slice(1, 4)).toString()).toBe('PNG');

    const late = await collect(queue.job(handle.id));
    expect(kinds(late)).toEqual(kinds(events).slice(1));
    const { images } = await handle.result();
    expect(images.map(({ seed, width, mediaType }) => [seed, width, mediaType])).toEqual([
      [7, 16, 'image/png'],
      [8, 16, 'image/png'],
    ]);
    expect(images[0].parameters).toContain('Seed: 7');
  });

  it('draws what generate() draws: from an image, with a LoRA, with seeds beyond 2^53', async () => {
    const { queue, work } = open();
    work({ loras: { style: lora } });
    const image = await readFile(new URL('../../../docs/embedded-model.jpg', import.meta.url));
    const seed = 2n ** 60n + 1n;
    const request = { prompt: 'a car', ...small, steps: 2, image, strength: 0.9, fit: 'cover', seed } as const;
    const first = await queue.enqueue({ model: 'a', request: { ...request, loras: { style: 0.5 } } });
    const inSyntax = { prompt: 'a <lora:style:0.5> car <lora:none:1>', syntax: 'a1111', ...small, seed: 3 } as const;
    await settled(async () => (await queue.loras()).includes('style'));
    const second = await queue.enqueue({ model: 'a', request: inSyntax });
    const [{ images }, other] = await Promise.all([first.result(), second.result()]);
    expect(images[0].seed).toBe(seed);

    const sd = await loadPipeline(place);
    await sd.attach(lora, { name: 'style' });
    const direct = await sd.generate({ ...request, adapters: { style: 0.5 } });
    const plain = await sd.generate(inSyntax);
    await sd.dispose();
    expect(await images[0].bytes()).toEqual(Buffer.from(await direct.images[0].toPng()));
    expect(await other.images[0].bytes()).toEqual(Buffer.from(await plain.images[0].toPng()));
  });

  it('fixes random seeds when a job is queued', async () => {
    const { queue, work } = open();
    work();
    const request = { prompt: 'a car', ...small, variationStrength: 0.5 };
    const results = await Promise.all(
      ['x', 'y'].map(async (id) => (await queue.enqueue({ model: 'a', request }, { id })).result()),
    );
    expect(results[0].images[0].parameters).toMatch(/Seed: \d+/);
    expect(results[0].images[0].seed).not.toBe(results[1].images[0].seed);
  });

  it('queues an id once', async () => {
    const { queue, work } = open();
    const [first, again] = await Promise.all([1, 2].map(() => queue.enqueue(job(1), { id: 'once' })));
    expect(again.id).toBe(first.id);
    expect(await queue.waiting()).toBe(1);
    work();
    const [a, b] = await Promise.all([first.result(), again.result()]);
    expect(a.images[0].key).toBe(b.images[0].key);
    await (await queue.enqueue(job(1), { id: 'once' })).result();
    expect(await drawnBy(queue, [first])).toEqual([1]);
  });

  it('takes turns between users, and draws what is urgent first', async () => {
    const { queue, work } = open();
    const order: string[] = [];
    const users = ['ann', 'ann', 'ann', 'ann', 'bob', 'bob', 'cy'];
    const handles: [string, JobHandle][] = [];
    for (const [i, user] of users.entries()) handles.push([`${user} ${i}`, await queue.enqueue(job(i, { user }))]);
    handles.push(['urgent', await queue.enqueue(job(9, { user: 'ann' }), { priority: 'high' })]);
    handles.push(['later', await queue.enqueue(job(9, { user: 'dan' }), { priority: 'low' })]);
    const names = new Map(handles.map(([name, { id }]) => [id, name]));
    work({ onJob: ({ id }) => order.push(names.get(id)!) });
    await Promise.all(handles.map(([, handle]) => handle.result()));
    await settled(() => order.length === handles.length);
    expect(order).toEqual(['urgent', 'ann 0', 'bob 4', 'cy 6', 'ann 1', 'bob 5', 'ann 2', 'ann 3', 'later']);
  });

  it('draws with what is loaded before it loads something else', async () => {
    const { queue, work } = open();
    const order: string[] = [];
    const handles = new Map<string, JobHandle>();
    for (const [i, model] of ['a', 'b', 'a', 'b', 'a'].entries()) {
      handles.set(`${model}${i}`, await queue.enqueue(job(i, { model, user: `${i}` })));
    }
    const names = new Map([...handles].map(([name, { id }]) => [id, name]));
    work({ onJob: ({ id }) => order.push(names.get(id)!) });
    await Promise.all([...handles.values()].map((handle) => handle.result()));
    await settled(() => order.length === handles.size);
    expect(order.map((name) => name[0]).join('')).toBe('aaabb');
  });

  it('refuses jobs beyond its bound, and says when to come again', async () => {
    const { queue, work } = open({ maxWaiting: 2 });
    const handles = await Promise.all([queue.enqueue(job(1)), queue.enqueue(job(2))]);
    const refused = queue.enqueue(job(3));
    await expect(refused).rejects.toMatchObject({ code: 'busy', retryAfterSeconds: expect.any(Number) });
    work();
    await Promise.all(handles.map((handle) => handle.result()));
    await (await queue.enqueue(job(3))).result();
  });

  it('leaves jobs to workers that have their model', async () => {
    const { queue, work } = open();
    const forA = await queue.enqueue(job(1));
    work({ models: { b: { place } } });
    await (await queue.enqueue(job(2, { model: 'b' }))).result();
    expect(await queue.waiting()).toBe(1);
    const able = work({ models: { a: { place } } });
    const started = (await collect(forA)).find((event) => event.type === 'started');
    expect(started?.worker).toBe(able.id);
    expect((await queue.models()).names.toSorted()).toEqual(['a', 'b']);
    await expect(queue.enqueue(job(3, { model: 'c' }))).rejects.toMatchObject({ code: 'unknown-model', model: 'c' });
  });

  it('leaves a model that cannot be loaded here to others, and fails if none can', async () => {
    const { queue, work } = open();
    const unable = work({ models: { a: { place: `${place}/none` } } });
    await settled(async () => (await queue.workers()).length === 1);
    const alone = await queue.enqueue(job(1));
    await expect(alone.result()).rejects.toMatchObject({ code: 'job-failed', cause: { code: 'not-found' } });
    await unable.close();
    const able = work({ models: { a: { place } } });
    await settled(async () => (await queue.workers()).some(({ id }) => id === able.id));
    await (await queue.enqueue(job(1))).result();
  });

  it('cancels a job that waits, and one that is drawn', async () => {
    const { queue, work } = open();
    const waiting = await queue.enqueue(job(1));
    await waiting.cancel();
    await expect(waiting.result()).rejects.toMatchObject({ code: 'job-cancelled' });
    expect(await queue.waiting()).toBe(0);

    work();
    const long = await queue.enqueue(job(2, { request: { prompt: 'a', ...small, steps: 1000, count: 50 } }));
    const next = await queue.enqueue(job(3));
    await until(long, 'step');
    await queue.job(long.id).cancel();
    await expect(long.result()).rejects.toMatchObject({ code: 'job-cancelled' });
    const { images } = await next.result();
    await next.cancel();
    expect(await images[0].bytes()).toHaveLength((await images[0].bytes()).length);
    expect((await collect(next)).at(-1)?.type).toBe('done');
  });

  it('gives the current job back when a worker is closed', async () => {
    const { queue, work } = open();
    const first = work();
    const handle = await queue.enqueue(job(2, { request: { prompt: 'a', ...small, steps: 100 } }));
    await until(handle, 'step');
    await first.close({ graceMs: 0 });
    expect(await queue.waiting()).toBe(1);
    work();
    const events = await collect(handle);
    const marks = events.filter(({ type }) => type === 'started' || type === 'returned').map(({ type }) => type);
    expect(marks).toEqual(['started', 'returned', 'started']);
    expect(await drawnBy(queue, [handle])).toEqual([1]);
  });

  it('loses nothing when Redis is started again', async () => {
    const { queue, work } = open();
    work();
    const handles = await Promise.all(Array.from({ length: 10 }, (_, seed) => queue.enqueue(job(seed))));
    await handles[1].result();
    await server.restart();
    await Promise.all(handles.map((handle) => handle.result()));
    expect(await drawnBy(queue, handles)).toEqual(handles.map(() => 1));
  });

  it('says what is wrong with a job before it is queued, and after', async () => {
    const { queue, work } = open();
    const wrong = (request: object, rest: object = {}) => queue.enqueue({ model: 'a', request, ...rest } as DrawJob);
    await expect(wrong({ prompt: 'a', width: '16' })).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(wrong({ prompt: 'a', onStep() {} })).rejects.toMatchObject({ option: 'onStep' });
    await expect(wrong({ steps: 1 })).rejects.toMatchObject({ option: 'prompt' });
    await expect(wrong({ prompt: 'a', steps: 0 })).rejects.toMatchObject({ option: 'steps' });
    await expect(wrong({ prompt: 'a' }, { usr: 'ann' })).rejects.toMatchObject({ option: 'usr' });
    expect(() => createQueue({ connection: 'localhost' })).toThrow(/redis:\/\//);
    expect(() => queue.job('x')).toThrow(/handle's id/);
    work();
    const odd = await queue.enqueue(job(1, { request: { prompt: 'a', ...small, width: 17 } }));
    await expect(odd.result()).rejects.toMatchObject({ code: 'invalid-option', option: 'width' });
    await expect(queue.job('000000000000-none').result()).rejects.toMatchObject({ code: 'unknown-job' });
  });

  it('says so when Redis cannot be reached', async () => {
    const queue = createQueue({ connection: 'redis://127.0.0.1:1' });
    closing.push(queue);
    await expect(queue.enqueue(job(1))).rejects.toMatchObject({ code: 'queue-unreachable' });
    const leaving = new AbortController();
    const watching = queue.job('000000000000-none').result({ signal: leaving.signal });
    leaving.abort();
    await expect(watching).rejects.toMatchObject({ code: 'aborted' });
  });

  it('deletes images that have expired', async () => {
    const { queue, work } = open({ keepMs: 1_000 });
    work({ keepMs: 1_000, deadAfterMs: 6_000 });
    const handle = await queue.enqueue(job(1));
    const image = (await collect(handle)).find((event) => event.type === 'image');
    await settled(async () =>
      image!.image.bytes().then(
        () => false,
        ({ code }) => code === 'not-found',
      ),
    );
  });
});

async function collect(handle: JobHandle): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of handle.events()) events.push(event);
  return events;
}

async function until(handle: JobHandle, type: JobEvent['type']): Promise<void> {
  for await (const event of handle.events()) if (event.type === type) return;
}

/** How many endings each job has. */
async function drawnBy(queue: DrawQueue, handles: readonly JobHandle[]): Promise<number[]> {
  const all = await Promise.all(handles.map(({ id }) => collect(queue.job(id))));
  return all.map((events) => events.filter(({ type }) => type === 'done').length);
}

async function settled(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
