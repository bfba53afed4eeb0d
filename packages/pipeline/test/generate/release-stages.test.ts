import { createNodeBackend } from '@sd/backend-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPipeline, type Pipeline } from '../../src/index.js';
import { counting, filesOf, road, sourceOf } from '../support.js';

const { backend, counts } = counting(createNodeBackend());
const components = ['text_encoder', 'unet', 'vae_decoder'];
let held: Pipeline;
let released: Pipeline;
beforeAll(async () => {
  const source = sourceOf(await filesOf());
  held = await loadPipeline(source, { backend });
  counts.loaded = [];
  released = await loadPipeline(source, { backend, releaseStages: true });
});
afterAll(async () => {
  await held.dispose();
  await released.dispose();
  expect(counts.open).toBe(0);
  await backend.dispose();
});

test('released stages are loaded when needed, one at a time, and generate the same images', async () => {
  expect(counts).toMatchObject({ loaded: [], open: 3 });
  const open: number[] = [];
  const onStep = () => void open.push(counts.open - 3);
  const options = { ...road, count: 2 };
  const { images } = await released.generate({ ...options, onStep });
  expect(counts).toMatchObject({ loaded: components, open: 3 });
  expect(open).toEqual([1, 1, 1, 1, 1, 1]);
  const expected = await held.generate(options);
  expect(images.map(({ data }) => data)).toEqual(expected.images.map(({ data }) => data));

  await released.generate(road);
  expect(counts).toMatchObject({ loaded: [...components, ...components], open: 3 });
});

test('a run that is aborted or fails leaves nothing loaded', async () => {
  const controller = new AbortController();
  const onStep = () => controller.abort();
  await expect(released.generate({ ...road, onStep, signal: controller.signal })).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(counts.open).toBe(3);
  await expect(released.generate({ ...road, onStep: () => Promise.reject(new Error('enough')) })).rejects.toThrow();
  expect(counts.open).toBe(3);
  for await (const event of released.stream(road)) if (event.type === 'step') await event.preview();
  expect(counts.open).toBe(3);
});
