// Measures one run of SDXL. Runs in a separate process, to measure its peak memory.
import { createNodeBackend } from '@sd/backend-node';
import { loadPipeline } from '@sd/pipeline';
import { peakMemory } from './memory.js';
import { fastestStep, timed } from './timing.js';

const [folder, mode] = process.argv.slice(2);
const backend = createNodeBackend();
let sd;
const load = await timed(async () => {
  sd = await loadPipeline(folder, { backend, releaseStages: mode === 'release' });
});
const loadPeak = peakMemory();
const side = 8 * sd.stages.noisePredictor.sampleSize;
const times = await fastestStep(sd, {
  prompt: 'a photo of an astronaut riding a horse on mars',
  negativePrompt: 'blurry',
  guidanceScale: 5,
  scheduler: 'euler',
  steps: 1,
  width: side,
  height: side,
  seed: 0,
});
const result = { load, loadPeak, side, ...times, peak: peakMemory() };
await sd.dispose();
await backend.dispose();
console.log(JSON.stringify(result));
