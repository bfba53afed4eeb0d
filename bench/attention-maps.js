// What attention maps cost: the time of a step with maps of all words and layers as a ratio to that of a pipeline that has
// never given any, of the embedded model, and of Stable Diffusion 1 with random weights at 256 x 256 where there is memory for it.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadPipeline } from '@sd/pipeline';
import { writeRandomCheckpoint } from './random-checkpoint.js';
import { fastestStep } from './timing.js';

await measure('embedded model, 20 steps', undefined, { steps: 20 }, 5);

const gibibytes = 2 ** 30;
if (os.freemem() > 8 * gibibytes) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sd-bench-'));
  try {
    await writeRandomCheckpoint(path.join(import.meta.dirname, 'configs/sd15'), folder, 'F16');
    await measure('SD 1, 256 x 256, 2 steps', folder, { steps: 2, width: 256, height: 256 }, 3);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Prints the ratios of the fastest step of several runs with and without maps, taken in turns. */
async function measure(title, source, options, times) {
  const sd = await loadPipeline(source);
  const run = async (attentionMaps) =>
    (await fastestStep(sd, { prompt: 'a blue car on a road', seed: 1, ...options, attentionMaps })).step;
  const fastest = { before: Number.POSITIVE_INFINITY, with: Number.POSITIVE_INFINITY, after: Number.POSITIVE_INFINITY };
  for (let i = 0; i < times; i++) fastest.before = Math.min(fastest.before, await run(false));
  for (let i = 0; i < times; i++) {
    fastest.with = Math.min(fastest.with, await run(true));
    fastest.after = Math.min(fastest.after, await run(false));
  }
  await sd.dispose();
  const ratio = (seconds) => (seconds / fastest.before).toFixed(3);
  console.log(`${title}: ${ratio(fastest.with)} with maps, ${ratio(fastest.after)} without in the same session`);
}
