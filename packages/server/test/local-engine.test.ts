import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder, lcmLora } from '@sd/model-tiny';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineEvent, type Job, type LoadEvent, localEngine } from '../src/index.js';

let models: string;
const tiny = fileURLToPath(folder);
beforeAll(async () => {
  models = await mkdtemp(path.join(tmpdir(), 'sd-models-'));
  await cp(tiny, path.join(models, 'first'), { recursive: true });
  await cp(tiny, path.join(models, 'second'), { recursive: true });
  await mkdir(path.join(models, 'no-model'));
  await writeFile(path.join(models, 'broken.safetensors'), 'not a checkpoint');
});
afterAll(() => rm(models, { recursive: true }));

const job = (id: string, model?: string): Job => ({ id, model, request: { prompt: 'a cat', steps: 1, seed: 1 } });
const open = new AbortController().signal;

async function all(events: AsyncIterable<EngineEvent>): Promise<EngineEvent[]> {
  const read: EngineEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

test('models of a folder load when they are used, and the one used longest ago makes room', async () => {
  const loads: LoadEvent[] = [];
  const engine = localEngine({ models, memoryBudget: 60e6, onLoad: (event) => loads.push(event) });
  expect((await engine.models()).map(({ name }) => name)).toEqual(['broken', 'first', 'second']);
  const events = await all(engine.run(job('1', 'first'), open));
  expect(events.map(({ type }) => type)).toEqual(['started', 'step', 'image', 'done']);
  await all(engine.run(job('2', 'first'), open));
  expect(loads.map(({ model }) => model)).toEqual(['first']);
  await all(engine.run(job('3', 'second'), open));
  expect((await engine.status()).loaded).toEqual(['second']);
  await engine.close();
  await expect(all(engine.run(job('4'), open))).rejects.toMatchObject({ code: 'disposed' });
});

test('a load that fails leaves the other models as they are', async () => {
  const loads: LoadEvent[] = [];
  const engine = localEngine({ models, onLoad: (event) => loads.push(event) });
  await all(engine.run(job('1', 'second'), open));
  await expect(all(engine.run(job('2', 'broken'), open))).rejects.toMatchObject({ code: 'bad-checkpoint' });
  expect(loads.at(-1)).toMatchObject({ model: 'broken', error: { code: 'bad-checkpoint' } });
  expect((await engine.status()).loaded).toEqual(['second']);
  await expect(all(engine.run(job('3', 'no-model'), open))).rejects.toMatchObject({ code: 'unknown-model' });
  await engine.close();
});

test('jobs wait for their turn, up to a limit; one that is aborted makes room', async () => {
  const engine = localEngine({ maxWaiting: 1 });
  const running = engine.run({ ...job('1'), request: { prompt: 'a cat', steps: 40 } }, open)[Symbol.asyncIterator]();
  await running.next();
  const leaving = new AbortController();
  const waiting = engine.run(job('2'), leaving.signal)[Symbol.asyncIterator]();
  expect((await waiting.next()).value).toEqual({ type: 'queued', position: 0 });
  await expect(all(engine.run(job('3'), open))).rejects.toMatchObject({ code: 'busy' });
  leaving.abort();
  await expect(waiting.next()).rejects.toMatchObject({ code: 'aborted' });
  const third = all(engine.run(job('3'), open));
  await running.return?.();
  const events = await third;
  expect(events[0]).toEqual({ type: 'queued', position: 0 });
  expect(events.at(-1)).toMatchObject({ type: 'done' });
  expect(await engine.status()).toMatchObject({ running: 0, waiting: 0 });
  await engine.close();
});

test('the same seed gives the same image, whatever was drawn before', async () => {
  const engine = localEngine();
  const imageOf = (events: EngineEvent[]) =>
    events.flatMap((event) => (event.type === 'image' ? [event.image.bytes] : []));
  const first = imageOf(await all(engine.run(job('1'), open)));
  await all(engine.run({ ...job('2'), request: { prompt: 'a dog', steps: 1 } }, open));
  expect(imageOf(await all(engine.run(job('3'), open)))).toEqual(first);
  await engine.close();
});

test('LoRAs are attached when a request or a prompt names them, and only for that job', async () => {
  const engine = localEngine({ loras: path.dirname(fileURLToPath(lcmLora)) });
  expect((await engine.loras!()).map(({ name }) => name)).toEqual(['lcm']);
  const draw = async (request: object) => {
    const fields = { prompt: 'a cat', steps: 1, seed: 1, ...request };
    const events = await all(engine.run({ id: '1', request: fields }, open));
    return events.flatMap((event) =>
      event.type === 'image' ? [Buffer.from(event.image.bytes).toString('base64')] : [],
    );
  };
  const plain = await draw({});
  const inPrompt = await draw({ syntax: 'a1111', prompt: 'a cat <lora:lcm:1>' });
  const named = await draw({ syntax: 'a1111', prompt: 'a cat <lora:lcm:1>', loras: { lcm: 1 } });
  expect(named).toEqual(inPrompt);
  expect(inPrompt).not.toEqual(plain);
  expect(await draw({ loras: { lcm: 1 } })).not.toEqual(plain);
  expect(await draw({})).toEqual(plain);
  await expect(draw({ loras: { other: 1 } })).rejects.toMatchObject({ code: 'invalid-option', option: 'loras' });
  await engine.close();
});
