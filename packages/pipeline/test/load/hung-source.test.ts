import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import type { Source } from '@sd/core';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, sd1 } from '../../../../fixtures/golden.js';
import { inspect, loadPipeline } from '../../src/index.js';
import { counting, road, using } from '../support.js';

const { backend, counts } = counting(createNodeBackend({ threads: 1 }));
afterAll(() => backend.dispose());

const folder = await openFolder(sd1);
const loras = await openFolder(fixture('adapters/lora-kohya'));

/** The source, which never answers the reads or sizes from the `at`th on, and ignores signals. Counts them. */
function hanging(source: Source, at: number) {
  const reads = { count: 0 };
  let whenHung = () => {};
  const hung = new Promise<void>((resolve) => {
    whenHung = resolve;
  });
  const pass = async <T>(work: () => Promise<T>): Promise<T> => {
    reads.count += 1;
    if (reads.count < at) return work();
    whenHung();
    return new Promise<never>(() => {});
  };
  const wrapped: Source = {
    read: (path, range) => pass(() => source.read(path, range)),
    size: (path) => pass(() => source.size!(path)),
    realPath: (path) => pass(() => source.realPath!(path)),
  };
  return { source: wrapped, reads, hung };
}

/** Expects the work to end with an AbortError at whichever read it hangs. Tries each `stride`th of them. */
async function abortsAtEveryRead(
  source: Source,
  stride: number,
  work: (source: Source, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const all = hanging(source, Number.POSITIVE_INFINITY);
  await work(all.source, new AbortController().signal);
  expect(all.reads.count).toBeGreaterThan(stride);
  for (let at = 1; at <= all.reads.count; at += stride) {
    const controller = new AbortController();
    const one = hanging(source, at);
    const working = work(one.source, controller.signal);
    one.hung.then(() => controller.abort('tired'));
    await expect(working).rejects.toMatchObject({ code: 'aborted', cause: 'tired' });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  }
}

describe('a source that never answers is left when the signal is aborted', () => {
  test('by loadPipeline()', async () => {
    await abortsAtEveryRead(folder, 7, (source, signal) =>
      using(loadPipeline(source, { backend, signal }), async () => undefined),
    );
    expect(counts.open).toBe(0);
  });

  test('by inspect()', () =>
    abortsAtEveryRead(loras, 1, (source, signal) => inspect(source, { path: 'style.safetensors', signal })));

  test('by attach(), which holds up no later run', () =>
    using(loadPipeline(folder, { backend }), async (sd) => {
      const before = await sd.generate(road);
      await abortsAtEveryRead(loras, 1, async (source, signal) => {
        await sd.attach(source, { path: 'style.safetensors', signal });
        await sd.detach('style');
      });
      expect(sd.attached).toEqual([]);
      expect((await sd.generate(road)).images[0].data).toEqual(before.images[0].data);
    }));
});

test('a server that says nothing is left when the signal is aborted', async () => {
  let whenAsked = () => {};
  const server = createServer((socket) => {
    socket.on('error', () => {});
    whenAsked();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}/`;
  for (const work of [
    (signal: AbortSignal) => loadPipeline(url, { backend, signal }),
    (signal: AbortSignal) => inspect(`${url}x.safetensors`, { signal }),
  ]) {
    const controller = new AbortController();
    whenAsked = () => controller.abort();
    await expect(work(controller.signal)).rejects.toMatchObject({ code: 'aborted' });
  }
  server.close();
});

test('a signal that is aborted after loading does not end later reads', () =>
  using(
    (async () => {
      const controller = new AbortController();
      const sd = await loadPipeline(folder, { backend, signal: controller.signal, releaseStages: true });
      controller.abort();
      return sd;
    })(),
    async (sd) => expect((await sd.generate(road)).images).toHaveLength(1),
  ));
