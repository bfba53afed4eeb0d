import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { loadWorkerPipeline } from '@sd/pipeline/worker';
import { serveOver } from '../src/serve-over.js';

test('a page draws over a port, as Electron connects it', async () => {
  const { port1, port2 } = new MessageChannel();
  // Electron's ports give an event, and Node's its data.
  const port = {
    postMessage: (/** @type {any} */ message) => port1.postMessage(message),
    on: (/** @type {any} */ type, /** @type {any} */ listener) => port1.on(type, (data) => listener({ data })),
    off: () => port1,
    start: () => port1.start(),
    close: () => port1.close(),
  };
  serveOver(/** @type {any} */ (port));
  const sd = await loadWorkerPipeline(/** @type {any} */ (port2));
  assert.equal(sd.provider, 'cpu');
  /** @type {number[]} */
  const widths = [];
  const { images } = await sd.generate({
    prompt: 'a red apple',
    steps: 2,
    onStep: async (step) => void widths.push((await step.preview()).width),
  });
  assert.deepEqual([images[0].width, ...widths], [128, 16, 16]);
  await sd.dispose();
  port1.close();
});
