// Measures one run of full-size SD 1.5. Runs in a separate process, to measure its peak memory.
import { tensor, torchCpu } from '@sd/core';
import { loadPipeline } from '@sd/pipeline';
import { peakMemory } from './memory.js';
import { fractionOutside, timedBackend } from './native-time.js';
import { fastest } from './timing.js';

const [folder, mode] = process.argv.slice(2);
const { backend, nativeTime, close } = timedBackend();

const start = performance.now();
const sd = await loadPipeline(folder, { backend, releaseStages: mode === 'release' });
const load = (performance.now() - start) / 1000;
const loadPeak = peakMemory();

const result = { load, loadPeak };
if (mode === 'keep') {
  const { unet, vae } = sd.stages;
  const sample = tensor('float32', [1, 4, 64, 64], torchCpu(0).randn(4 * 64 * 64));
  const context = tensor('float32', [1, 77, 768], torchCpu(1).randn(77 * 768));
  result.unet = await fastest(3, () => unet.predict({ sample, timestep: 500, context }));
  result.unetPair = await fastest(2, () =>
    unet.predict({ sample: doubled(sample), timestep: 500, context: doubled(context) }),
  );
  result.timerLag = await timerLag(() => unet.predict({ sample, timestep: 500, context }));
  result.unetPeak = peakMemory();
  result.vae = await fastest(2, () => vae.decode(sample));
}
result.outside = await fractionOutside(sd, nativeTime, {
  prompt: 'a photo of an astronaut riding a horse on mars',
  scheduler: 'ddim',
  steps: 2,
  width: 512,
  height: 512,
  seed: 0,
});
result.peak = peakMemory();
await sd.dispose();
await backend.dispose();
close();
console.log(JSON.stringify(result));

function doubled({ type, dims, data }) {
  const twice = new Float32Array(2 * data.length);
  twice.set(data);
  twice.set(data, data.length);
  return tensor(type, [2, ...dims.slice(1)], twice);
}

/** The largest delay of a 10 ms timer on the main thread during a run, in milliseconds. */
async function timerLag(run) {
  let last = performance.now();
  let lag = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    lag = Math.max(lag, now - last - 10);
    last = now;
  }, 10);
  await run();
  clearInterval(timer);
  return lag;
}
