import { expect, test } from 'vitest';
import { createPipeline } from '../src/index.js';
import { createMutex } from '../src/mutex.js';
import { mockStages, road } from './support.js';

test('two runs at once go one after the other, in order', async () => {
  const sd = createPipeline(mockStages());
  const seen: string[] = [];
  const run = (name: string) => sd.generate({ ...road, onStep: ({ step }) => void seen.push(`${name} ${step}`) });
  await Promise.all([run('a'), run('b'), run('c')]);
  expect(seen).toEqual(['a 0', 'a 1', 'b 0', 'b 1', 'c 0', 'c 1']);
});

test('a run that fails lets the next one pass', async () => {
  const sd = createPipeline(mockStages());
  const failing = sd.generate({ ...road, onStep: () => Promise.reject(new Error('enough')) });
  const next = sd.generate(road);
  await expect(failing).rejects.toThrow('enough');
  expect((await next).images).toHaveLength(1);
});

test('a turn that is given up is passed over only when those before it are done', async () => {
  const mutex = createMutex();
  const release = await mutex.acquire();
  const controller = new AbortController();
  const given = mutex.acquire(controller.signal);
  let passed = false;
  const last = mutex.acquire().then((release) => {
    passed = true;
    return release;
  });
  controller.abort('tired');
  await expect(given).rejects.toMatchObject({ code: 'aborted', cause: 'tired' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(passed).toBe(false);
  release();
  (await last)();
  expect(passed).toBe(true);
});

test('a signal that is aborted later no longer matters', async () => {
  const mutex = createMutex();
  const controller = new AbortController();
  const release = await mutex.acquire(controller.signal);
  controller.abort();
  release();
  (await mutex.acquire())();
});
