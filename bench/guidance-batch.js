// Guidance with the embedded model: all prompts of a step in one call of the U-Net, compared to one call each.
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
  return createDenoiser({
    noisePredictor: unet,
    prediction: scheduler.prediction,
    guidance,
    positive,
    negative,
    shape,
    batch,
  });
}

async function median(run, count = 60) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const before = performance.now();
    await run();
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[count >> 1];
}

const plain = createDenoiser({
  noisePredictor: unet,
  prediction: scheduler.prediction,
  guidance: classifierFreeGuidance({ scale: 1 }),
  positive: positives[0],
  negative,
  shape,
});
await median(() => plain(x, level), 10);
const single = await median(() => plain(x, level));
console.log(`One prompt: ${single.toFixed(1)} ms per step`);
for (const count of [1, 3]) {
  const together = await median(() => denoiser(count)(x, level));
  const separate = await median(() => denoiser(count, 1)(x, level));
  console.log(
    `${count + 1} prompts: ${(together / single).toFixed(2)} of that in one call, ${(separate / single).toFixed(2)} one by one`,
  );
}
await sd.dispose();
