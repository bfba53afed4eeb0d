import { torchCpu } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { largestDifference } from '../../../image/test/support.js';
import {
  createPipeline,
  families,
  type GenerateOptions,
  loadPipeline,
  type Pipeline,
  type StepEvent,
} from '../../src/index.js';
import { bytesOf, compareRun, road } from '../start-support.js';

const folder = fixture('models/sdxl');
const refinerFolder = fixture('models/sdxl-refiner');
const [whole, runs, refined] = [
  readGolden('golden.safetensors', folder),
  readGolden('runs.safetensors', folder),
  readGolden('golden.safetensors', refinerFolder),
];
const [image, mask] = ['image', 'mask'].map((name) => bytesOf(fixture('adapters/from-picture'), `${name}.png`));
const size = { width: 96, height: 64 };
const prompt = { ...road, ...size };
const { negativePrompt: _, ...alone } = prompt;

let sd: Pipeline;
let refiner: Pipeline;
beforeAll(async () => {
  [sd, refiner] = await Promise.all([loadPipeline(folder), loadPipeline(refinerFolder)]);
});
afterAll(() => Promise.all([sd.dispose(), refiner.dispose()]));

async function check(pipeline: Pipeline, golden: typeof runs, name: string, options: GenerateOptions, row = 'sdxl') {
  const { levels } = pipeline.stages.scheduler.plan(options.steps!);
  const { latents, colours } = await compareRun(pipeline, golden, name, options, { row, levels });
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
}

describe('SDXL matches diffusers', () => {
  test('all tensors are used', () => {
    expect([...sd.warnings, ...refiner.warnings].filter(({ code }) => code !== 'part-skipped')).toEqual([]);
  });

  test('a whole run: two text encoders, pooled text, sizes', () => check(sd, whole, 'run', { ...prompt, steps: 6 }));

  test.each<[string, GenerateOptions]>([
    ['zeros', alone],
    ['empty-string', { ...alone, negativePrompt: '' }],
    ['clip-skip', { ...prompt, clipSkip: 1 }],
    ['two-prompts', { ...prompt, prompt2: 'a red house', negativePrompt2: 'snow' }],
    [
      'sizes',
      {
        ...prompt,
        microConditioning: {
          originalSize: { width: 40, height: 48 },
          cropTopLeft: { top: 4, left: 8 },
          targetSize: { width: 80, height: 64 },
        },
        negativeMicroConditioning: {
          originalSize: { width: 24, height: 32 },
          cropTopLeft: { top: 1, left: 2 },
          targetSize: { width: 56, height: 72 },
        },
      },
    ],
  ])('%s', (name, options) => check(sd, runs, name, { ...options, steps: 4 }));

  test.each<[string, GenerateOptions]>([
    ['img2img', { ...road, image, steps: 10, strength: 0.6 }],
    ['inpaint4', { ...prompt, image, mask, steps: 8, strength: 0.9 }],
  ])('%s', (name, options) => check(sd, runs, name, options));

  test('empty: the embedding of an empty negative prompt, if model_index.json says so', async () => {
    const sdxl = families.find(({ id }) => id === 'sdxl')!;
    const composition = sdxl.composition(sd.stages, { force_zeros_for_empty_prompt: false });
    await check(createPipeline({ ...sd.stages, composition }), runs, 'empty', { ...alone, steps: 4 });
  });

  test('several: two images in one run', async () => {
    const steps: StepEvent[] = [];
    const { images } = await sd.generate({
      ...prompt,
      steps: 4,
      count: 2,
      rng: (seed) => torchCpu(seed === 42 ? 42 : 7),
      onStep: (step) => void steps.push(step),
    });
    expect(images).toHaveLength(2);
    const { levels } = sd.stages.scheduler.plan(4);
    for (const { index, step, latents } of steps) {
      const { data } = runs(`several.latents.${step}`);
      const { alpha, sigma } = levels[step + 1];
      const scale = Math.hypot(1, sigma / alpha);
      const want = data.subarray((index * data.length) / 2, ((index + 1) * data.length) / 2);
      expect(
        largestDifference(
          latents.data.map((value) => value * scale),
          want,
        ),
      ).toBeLessThan(1e-3);
    }
  });
});

describe('SDXL’s refiner matches diffusers', () => {
  test('it continues from the base model’s latents', async () => {
    const { levels } = sd.stages.scheduler.plan(10);
    const steps: StepEvent[] = [];
    const { images, latents } = await sd.generate({
      ...prompt,
      steps: 10,
      denoisingEnd: 0.8,
      output: 'latents',
      onStep: (step) => void steps.push(step),
    });
    expect(images).toEqual([]);
    expect(steps.map(({ step, steps }) => [step, steps])).toEqual(Array.from({ length: 8 }, (_, i) => [i, 8]));
    expect(latents).toEqual(steps.at(-1)!.latents);
    for (const { step, latents: got } of steps) {
      const { alpha, sigma } = levels[step + 1];
      const scale = Math.hypot(1, sigma / alpha);
      const want = refined(`base.latents.${step}`).data;
      expect(
        largestDifference(
          got.data.map((value) => value * scale),
          want,
        ),
      ).toBeLessThan(1e-3);
    }
    await check(
      refiner,
      refined,
      'refined',
      { ...road, image: latents!, steps: 10, denoisingStart: 0.8 },
      'sdxl-refiner',
    );
  });

  test.each<[string, GenerateOptions]>([
    ['img2img', { ...road, image, steps: 10, strength: 0.3 }],
    [
      'scores',
      {
        ...road,
        image,
        steps: 10,
        strength: 0.3,
        microConditioning: { aestheticScore: 7 },
        negativeMicroConditioning: { aestheticScore: 1.5 },
      },
    ],
  ])('%s', (name, options) => check(refiner, refined, name, options, 'sdxl-refiner'));
});

describe.each(['sd-turbo', 'sdxl-turbo'])('%s matches diffusers', (name) => {
  const turbo = fixture(`models/${name}`);

  test.each([
    ['run', 1],
    ['four', 4],
  ])('%s, without guidance, of %i steps', async (run, steps) => {
    const pipeline = await loadPipeline(turbo);
    try {
      const golden = readGolden('golden.safetensors', turbo);
      await check(pipeline, golden, run, { ...alone, steps, guidanceScale: 0 }, name);
    } finally {
      await pipeline.dispose();
    }
  });
});
