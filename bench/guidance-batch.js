// Guidance on the embedded model: prompts of a step in one call of the U-Net, or one by one.
import { torchCpu } from '@sd/core';
import { classifierFreeGuidance, createDenoiser } from '@sd/guidance';
import { loadPipeline } from '@sd/pipeline';

const sd = await loadPipeline();
const { tokenizer, textEncoder, unet, scheduler } = sd.stages;
const prompts = ['', 'a blue car on a road', 'a castle at sunset', 'a forest'];
const [negative, ...positives] = await textEncoder.encode(prompts.map((prompt) => tokenizer.encode(prompt)));
const shape = [unet.inChannels, unet.sampleSize, unet.sampleSize];
const x = torchCpu(0).randn(shape.reduce((a, b) => a * b));
const level = { alpha: 0.6, sigma: 0.8, timestep: 500 };

function denoiser(count, batch) {
  const positive = positives.slice(0, count).map((embedding) => ({ embedding, weight: 1 }));
  const guidance = classifierFreeGuidance({ scale: 5 });
  return createDenoiser({ unet, prediction: scheduler.prediction, guidance, positive, negative, shape, batch });
}

async function median(run, times = 60) {
  const took = [];
  for (let i = 0; i < times; i++) {
    const before = performance.now();
    await run();
    took.push(performance.now() - before);
  }
  return took.sort((a, b) => a - b)[times >> 1];
}

const plain = createDenoiser({
  unet,
  prediction: scheduler.prediction,
  guidance: classifierFreeGuidance({ scale: 1 }),
  positive: positives[0],
  negative,
  shape,
});
await median(() => plain(x, level), 10);
const one = await median(() => plain(x, level));
console.log(`One prompt: ${one.toFixed(1)} ms a step`);
for (const count of [1, 3]) {
  const together = await median(() => denoiser(count)(x, level));
  const apart = await median(() => denoiser(count, 1)(x, level));
  console.log(
    `${count + 1} prompts: ${(together / one).toFixed(2)} of that in one call, ${(apart / one).toFixed(2)} one by one`,
  );
}
await sd.dispose();
