import { expect, test } from 'vitest';
import { createPipeline } from '../src/index.js';
import { createMutex } from '../src/mutex.js';
import { mockStages, road } from './support.js';

test('concurrent runs are queued in order', async () => {
  const sd = createPipeline(mockStages());
  const seen: string[] = [];
  const run = (name: string) => sd.generate({ ...road, onStep: ({ step }) => void seen.push(`${name} ${step}`) });
  await Promise.all([run('a'), run('b'), run('c')]);
  expect(seen).toEqual(['a 0', 'a 1', 'b 0', 'b 1', 'c 0', 'c 1']);
});

test('a run that fails lets the next one start', async () => {
  const sd = createPipeline(mockStages());
  const failing = sd.generate({ ...road, onStep: () => Promise.reject(new Error('enough')) });
  const next = sd.generate(road);
  await expect(failing).rejects.toThrow('enough');
  expect((await next).images).toHaveLength(1);
});

test('an aborted request for the lock is skipped only after those before it', async () => {
  const mutex = createMutex();
  const turn = await mutex.acquire();
  const controller = new AbortController();
  const aborted = mutex.acquire(controller.signal);
  let isAcquired = false;
  const last = mutex.acquire().then((next) => {
    isAcquired = true;
    return next;
  });
  controller.abort('tired');
  await expect(aborted).rejects.toMatchObject({ code: 'aborted', cause: 'tired' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAcquired).toBe(false);
  turn.release();
  (await last).release();
  expect(isAcquired).toBe(true);
});

test('aborting a signal after the lock was acquired has no effect', async () => {
  const mutex = createMutex();
  const controller = new AbortController();
  const turn = await mutex.acquire(controller.signal);
  controller.abort();
  turn.release();
  (await mutex.acquire()).release();
});

test('a holder learns that another waits', async () => {
  const mutex = createMutex();
  const turn = await mutex.acquire();
  let isWanted = false;
  turn.wanted.then(() => {
    isWanted = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isWanted).toBe(false);
  const next = mutex.acquire();
  await turn.wanted;
  turn.release();
  (await next).release();
});
