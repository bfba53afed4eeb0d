// What attention maps cost: the time of a run with maps of all words, layers and steps as a ratio to that of the same run
// without, of the embedded model, and of Stable Diffusion 1 with random weights at 256 x 256 where there is memory for it.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { loadPipeline } from '@sd/pipeline';
import { writeRandomCheckpoint } from './random-checkpoint.js';

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

/** Prints the ratio of the fastest of several runs with and without maps, taken in turns in one session. */
async function measure(title, source, options, times) {
  const sd = await loadPipeline(source);
  const fastest = { without: Number.POSITIVE_INFINITY, with: Number.POSITIVE_INFINITY };
  const before = await fastestOf(sd, options, false, times);
  for (let i = 0; i < times; i++) {
    fastest.with = Math.min(fastest.with, await fastestOf(sd, options, true, 1));
    fastest.without = Math.min(fastest.without, await fastestOf(sd, options, false, 1));
  }
  await sd.dispose();
  const ratio = (a, b) => (a / b).toFixed(3);
  console.log(`${title}: ${ratio(fastest.with, fastest.without)} with maps;`);
  console.log(`  without, ${ratio(fastest.without, before)} of a session that has never given any`);
}

/** Milliseconds of the denoising of the fastest run. */
async function fastestOf(sd, options, attentionMaps, times) {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const { timings } = await sd.generate({ prompt: 'a blue car on a road', seed: 1, ...options, attentionMaps });
    fastest = Math.min(fastest, timings.denoise);
  }
  return fastest;
}
