import http from 'node:http';
import express from 'express';
import OpenAI from 'openai';
import { expect, test, vi } from 'vitest';
import { createHandler } from '../src/index.js';
import { createServer, nodeListener } from '../src/node.js';
import { fakeEngine } from './support/fake-engine.js';

const post = (url: string, body: object, signal?: AbortSignal) =>
  fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });

/** An engine whose jobs do not end by themselves, and what became of them. */
function endless() {
  const signals: AbortSignal[] = [];
  const engine = fakeEngine({
    onRun(_, signal) {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  return { engine, signals };
}

test.each([false, true])('a request whose client is gone is aborted (stream: %s)', async (stream) => {
  const { engine, signals } = endless();
  const server = await createServer({ port: 0, engine });
  const leaving = new AbortController();
  const answer = post(server.url, { prompt: 'a cat', stream }, leaving.signal).catch(() => 'left');
  await vi.waitFor(() => expect(signals).toHaveLength(1));
  leaving.abort();
  expect(await answer).toBe('left');
  await vi.waitFor(() => expect(signals[0].aborted).toBe(true));
  await server.close();
});

test('a client that leaves in the middle of a stream ends the job', async () => {
  const engine = fakeEngine();
  let ended = false;
  const { run } = engine;
  const server = await createServer({
    port: 0,
    engine: {
      ...engine,
      async *run(job, signal) {
        try {
          for await (const event of run({ ...job, request: { ...job.request, count: 1 } }, signal)) {
            if (event.type === 'done') await new Promise((_, reject) => signal.addEventListener('abort', reject));
            yield event;
          }
        } finally {
          ended = true;
        }
      },
    },
  });
  const client = new OpenAI({ apiKey: 'none', baseURL: `${server.url}/v1` });
  const stream = await client.images.generate({ prompt: 'a cat', stream: true });
  for await (const event of stream) {
    expect(event.type).toBe('image_generation.completed');
    break;
  }
  await vi.waitFor(() => expect(ended).toBe(true));
  await server.close();
});

test('a client that does not read its stream does not hold the engine', async () => {
  const engine = fakeEngine();
  let finished = 0;
  const { run } = engine;
  const handler = createHandler({
    engine: {
      ...engine,
      async *run(job, signal) {
        yield* run(job, signal);
        finished++;
      },
    },
  });
  const request = new Request('http://localhost/v1/images/generations', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a cat', n: 10, stream: true }),
  });
  const response = await handler.fetch(request);
  await vi.waitFor(() => expect(finished).toBe(1));
  expect((await response.text()).match(/^event: image_generation.completed$/gm)).toHaveLength(10);
});

test('closing waits for what runs, refuses what comes, and ends what takes too long', async () => {
  let finish = () => {};
  const patient = fakeEngine({ onRun: () => new Promise((resolve) => (finish = resolve)) });
  const handler = createHandler({ engine: patient });
  const request = (path: string, init?: RequestInit) => handler.fetch(new Request(`http://localhost${path}`, init));
  const draw = () =>
    request('/v1/images/generations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a cat' }),
    });
  const running = draw();
  await vi.waitFor(() => expect(patient.jobs).toHaveLength(1));
  const closed = handler.close(60_000);
  const refused = await draw();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect((await request('/readyz')).status).toBe(503);
  expect((await request('/healthz')).status).toBe(200);
  finish();
  expect((await running).status).toBe(200);
  await closed;

  const { engine, signals } = endless();
  const server = await createServer({ port: 0, engine });
  const answer = post(server.url, { prompt: 'a cat' });
  await vi.waitFor(() => expect(signals).toHaveLength(1));
  await server.close(0);
  expect((await answer).status).toBe(503);
});

test('metrics count requests, jobs and images, by models that exist', async () => {
  const handler = createHandler({ engine: fakeEngine() });
  const request = (path: string, init?: RequestInit) => handler.fetch(new Request(`http://localhost${path}`, init));
  await request('/v1/images/generations', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a cat', n: 3 }),
  });
  await request('/anything');
  const text = await (await request('/metrics')).text();
  expect(text).toContain('sd_images_total{model="gray"} 3');
  expect(text).toContain('sd_jobs_total{model="gray",outcome="done"} 1');
  expect(text).toContain('sd_http_requests_total{method="POST",route="/v1/images/generations",status="200"} 1');
  expect(text).not.toContain('anything');
});

test('Express mounts it', async () => {
  const handler = createHandler({ engine: fakeEngine() });
  const app = express();
  app.use('/sd', nodeListener(handler));
  const server = http.createServer(app).listen(0);
  const { port } = server.address() as { port: number };
  const client = new OpenAI({ apiKey: 'none', baseURL: `http://localhost:${port}/sd/v1` });
  const { data } = await client.images.generate({ prompt: 'a cat' });
  expect(data).toHaveLength(1);
  await new Promise((resolve) => server.close(resolve));
});
