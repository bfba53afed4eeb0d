import { createNodeBackend } from '@sd/backend-node';
import { describe, expect, test, vi } from 'vitest';
import { createPipeline, loadPipeline } from '../src/index.js';
import { counting, filesOf, gate, mockStages, road, sourceOf } from './support.js';

const disposed = { code: 'disposed', message: 'The pipeline was disposed: create a new one.' };

function disposable() {
  const stages = mockStages();
  const dispose = vi.fn(async () => {});
  stages.textEncoders[0].textEncoder.dispose = dispose;
  stages.noisePredictor.dispose = dispose;
  stages.vae.dispose = dispose;
  return { sd: createPipeline(stages), dispose };
}

describe('a disposed pipeline', () => {
  test('ends its run and those that wait, and refuses new ones', async () => {
    const { sd, dispose } = disposable();
    const { passed, open } = gate();
    const first = sd.generate({ ...road, onStep: () => passed });
    const all = Promise.allSettled([first, sd.generate(road), sd.stream(road).next()]);
    await sd.dispose();
    open();
    for (const result of await all) expect(result).toMatchObject({ status: 'rejected', reason: disposed });
    await expect(sd.generate(road)).rejects.toMatchObject(disposed);
    await expect(sd.stream(road).next()).rejects.toMatchObject(disposed);
    expect(dispose).toHaveBeenCalledTimes(3);
  });

  test('can be disposed again', async () => {
    const { sd, dispose } = disposable();
    await Promise.all([sd.dispose(), sd.dispose()]);
    await sd.dispose();
    expect(dispose).toHaveBeenCalledTimes(3);
  });

  test('does not wait for a stream that is no longer read', async () => {
    const { sd } = disposable();
    const events = sd.stream(road);
    expect((await events.next()).value).toMatchObject({ type: 'encode' });
    const queued = sd.generate(road);
    const rejected = expect(queued).rejects.toMatchObject(disposed);
    await sd.dispose();
    await rejected;
    await expect(events.next()).rejects.toMatchObject(disposed);
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('still reports an abort by the caller as an AbortError', async () => {
    const { sd } = disposable();
    const controller = new AbortController();
    const onStep = () => controller.abort();
    const { signal } = controller;
    await expect(sd.generate({ ...road, signal, onStep })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('turns the platform’s AbortError of a stage into a DisposedError', async () => {
    const stages = mockStages();
    const sd = createPipeline({
      ...stages,
      textEncoders: [
        {
          ...stages.textEncoders[0],
          textEncoder: {
            async encode(_, { signal } = {}) {
              await sd.dispose();
              signal?.throwIfAborted();
              return [];
            },
          },
        },
      ],
    });
    await expect(sd.generate(road)).rejects.toMatchObject(disposed);
  });
});

test('a loaded model leaves no session open, even when disposed during a run', async () => {
  const { backend, counts } = counting(createNodeBackend());
  const sd = await loadPipeline(sourceOf(await filesOf()), { backend });
  const controller = new AbortController();
  const events = sd.stream({ ...road, signal: controller.signal });
  await events.next();
  const step = events.next();
  controller.abort();
  await expect(step).rejects.toMatchObject({ code: 'aborted' });
  expect(counts.open).toBe(3);

  const running = sd.generate({ ...road, steps: 50 });
  const rejected = expect(running).rejects.toMatchObject(disposed);
  await sd.dispose();
  await rejected;
  expect(counts).toMatchObject({ open: 0, disposed: false });
  await backend.dispose();
});
