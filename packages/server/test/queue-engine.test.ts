import { AbortError } from '@sd/core';
import { enlarge } from '@sd/image';
import { expect, test } from 'vitest';
import { createHandler, type QueueLike, queueEngine } from '../src/index.js';

const png = await enlarge({ width: 1, height: 1, data: new Uint8Array([9, 9, 9, 255]) }, 8).toPng();
const file = { mediaType: 'image/png', width: 8, height: 8 };
const timings = { encode: 0, denoise: 0, decode: 0, total: 0 };

type Jobs = Parameters<QueueLike['enqueue']>[0][];

/** A queue with the events of `@sd/queue`, whose jobs end with `last`. */
function queueOf(last: 'done' | 'failed' | 'never') {
  const jobs: Jobs = [];
  const cancelled: number[] = [];
  const queue: QueueLike = {
    async enqueue(job) {
      const number = jobs.push(job);
      return {
        async *events({ signal } = {}) {
          yield { type: 'queued', position: 3 };
          yield { type: 'started', model: 'remote' };
          yield { type: 'step', index: 0, step: 0, steps: 2 };
          yield { type: 'preview', index: 0, step: 0, steps: 2, bytes: png, width: 8, height: 8 };
          yield { type: 'returned' };
          if (last === 'failed') yield { type: 'failed', error: new Error('the worker’s own') };
          if (last === 'never') {
            await new Promise((_, reject) =>
              signal?.addEventListener('abort', () => reject(new AbortError(signal.reason))),
            );
          }
          yield { type: 'image', image: { ...file, index: 0, seed: 5n, parameters: 'a cat', bytes: async () => png } };
          yield { type: 'done', result: { warnings: [], timings } };
        },
        cancel: async () => void cancelled.push(number),
      };
    },
    models: async () => ({ names: ['remote', 'other'], loaded: ['remote'] }),
    loras: async () => ['style'],
    waiting: async () => 4,
    isConnected: true,
    close: async () => {},
  };
  return { queue, jobs, cancelled };
}

const post = (fetch: (request: Request) => Promise<Response>, body: object, signal?: AbortSignal) =>
  fetch(
    new Request('http://localhost/v1/images/generations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a cat', ...body }),
      ...(signal && { signal }),
    }),
  );

test('a server draws by a queue', async () => {
  const { queue, jobs, cancelled } = queueOf('done');
  const { fetch } = createHandler({ engine: queueEngine(queue) });
  const response = await post(fetch, { user: 'ann', model: 'remote', steps: 2 });
  expect(await response.json()).toMatchObject({ data: [{ b64_json: Buffer.from(png).toString('base64'), seed: 5 }] });
  expect(jobs).toMatchObject([{ model: 'remote', user: 'ann', request: { prompt: 'a cat', steps: 2 } }]);
  expect(cancelled).toEqual([]);
  const models = await (await fetch(new Request('http://localhost/v1/models'))).json();
  expect(models.data.map(({ id }: { id: string }) => id)).toEqual(['remote', 'other']);
  expect(await (await fetch(new Request('http://localhost/sdapi/v1/loras'))).json()).toMatchObject([{ name: 'style' }]);
  expect(await (await fetch(new Request('http://localhost/metrics'))).text()).toContain('sd_jobs_waiting 4');
});

test('a failed job is an error; one whose client is gone is cancelled', async () => {
  const failed = queueOf('failed');
  const errors: unknown[] = [];
  const handler = createHandler({ engine: queueEngine(failed.queue), onError: (error) => errors.push(error) });
  const response = await post(handler.fetch, {});
  expect([response.status, (await response.json()).error.code]).toEqual([500, 'internal_error']);
  expect(errors).toMatchObject([{ message: 'the worker’s own' }]);

  const never = queueOf('never');
  const leaving = new AbortController();
  const answer = post(createHandler({ engine: queueEngine(never.queue) }).fetch, {}, leaving.signal);
  await expect.poll(() => never.jobs.length).toBe(1);
  leaving.abort();
  await answer;
  expect(never.cancelled).toEqual([1]);
});
