import { writeFile } from 'node:fs/promises';
import { createPipeline, loadPipeline } from '@sd/pipeline';
import { withCache } from './caching-text-encoder.js';
import { linearVae } from './linear-vae.js';
import { secondOrder } from './second-order-sampler.js';

const { stages } = await loadPipeline();
const [encoder] = stages.textEncoders;
const sd = createPipeline({
  ...stages,
  textEncoders: [{ ...encoder, textEncoder: withCache(encoder.textEncoder) }],
  vae: linearVae,
  scheduler: {
    name: 'My DPM++ 2M',
    prediction: stages.scheduler.prediction,
    plan: (steps) => ({ ...stages.scheduler.plan(steps), sampler: secondOrder, stepCount: steps, callCount: steps }),
  },
});

const { images, timings } = await sd.generate({ prompt: 'a red apple', seed: 3, steps: 10, guidanceScale: 5 });
await writeFile('apple.png', await images[0].toPng());
console.log(
  `apple.png: text ${timings.encode.toFixed()} ms, steps ${timings.denoise.toFixed()} ms, decode ${timings.decode.toFixed()} ms`,
);
await sd.dispose();
