import { afterAll, beforeAll, expect, test } from 'vitest';
import { measured } from '../../../../fixtures/deviations.js';
import { readGolden, sd1 } from '../../../../fixtures/golden.js';
import { largestDifference, rgbOf } from '../../../image/test/support.js';
import { loadPipeline, type Pipeline, type StepEvent } from '../../src/index.js';
import { rgbOfUnit } from '../support.js';

const golden = readGolden();
let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(sd1);
});
afterAll(() => sd.dispose());

test('a whole PNDM run of SD 1 matches diffusers: the latents after every step, and the image', async () => {
  const steps: StepEvent[] = [];
  const { images } = await sd.generate({
    prompt: 'a blue car on a road',
    negativePrompt: 'pixel art',
    width: 96,
    height: 64,
    steps: 6,
    guidanceScale: 7.5,
    seed: 42,
    onStep: (step) => void steps.push(step),
  });
  expect(steps.map(({ step, steps, timestep }) => [step, steps, timestep])).toEqual(
    [665, 665, 499, 333, 167, 1, 0].map((timestep, i) => [i, 7, timestep]),
  );
  let largest = 0;
  for (const { step, latents } of steps) {
    const want = golden(`run.latents.${step}`);
    expect(latents.dims).toEqual(want.dims);
    largest = Math.max(largest, largestDifference(latents.data, want.data));
  }
  expect(images[0]).toMatchObject({ width: 96, height: 64 });
  const colours = largestDifference(rgbOf(images[0]), rgbOfUnit(golden('run.image')));
  measured('sd1', { latents: largest, colours });
  expect(largest).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
});
