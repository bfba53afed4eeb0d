// The embedded model: 20 steps with guidance, as in `npm run demo`.
import { loadPipeline } from '@sd/pipeline';
import { peakMemory } from './memory.js';
import { fractionOutside, timedBackend } from './native-time.js';

const { backend, nativeTime, close } = timedBackend();
const start = performance.now();
const sd = await loadPipeline(undefined, { backend });
const load = performance.now() - start;
const options = { prompt: 'a blue car on a road', steps: 20, guidanceScale: 5, seed: 1 };

const totals = [];
for (let i = 0; i < 5; i++) totals.push((await sd.generate(options)).timings);
totals.sort((a, b) => a.total - b.total);
const { encode, denoise, decode, total } = totals[2];
const outside = await fractionOutside(sd, nativeTime, options);
await sd.dispose();
await backend.dispose();
close();

console.log('Embedded model, 128 x 128, 20 steps with guidance, median of 5');
console.log(`  load          ${load.toFixed()} ms`);
console.log(
  `  total         ${total.toFixed()} ms: text ${encode.toFixed()}, steps ${denoise.toFixed()}, decode ${decode.toFixed()}`,
);
console.log(`  outside ORT   ${(100 * outside).toFixed(1)}% of a step`);
console.log(`  peak memory   ${peakMemory().toFixed()} MiB`);
