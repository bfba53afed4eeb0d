import { readFile } from 'node:fs/promises';
import { openFolder } from '@sd/backend-node';
import { cannyEdges, readImage } from '@sd/image';
import { lcmLora, previewVae } from '@sd/model-tiny';
import { folder as controlNet } from '@sd/model-tiny-controlnet';
import { folder as inpaintingUnet } from '@sd/model-tiny-inpaint';
import { openSafetensors, toFloat32 } from '@sd/weights';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measured } from '../../../../fixtures/deviations.js';
import { largestDifference, rgbOf } from '../../../image/test/support.js';
import { type GenerateOptions, loadPipeline, type Pipeline, type StepEvent } from '../../src/index.js';
import { rgbOfUnit, using } from '../support.js';

const folder = new URL('../data/model-tiny/', import.meta.url);
let sd: Pipeline;
let golden: (name: string) => Promise<Float32Array>;
beforeAll(async () => {
  sd = await loadPipeline(undefined, { components: { preview_vae: previewVae } });
  const { tensors } = await openSafetensors(await openFolder(folder), 'latents.safetensors');
  golden = async (name) => {
    const { dtype, file, offset, length } = tensors.get(name)!;
    return toFloat32(dtype, (await file.read()).slice(offset, offset + length));
  };
});
afterAll(() => sd.dispose());

test.each<[run: string, options: Partial<GenerateOptions>]>([
  ['ddim', { guidanceScale: 5 }],
  ['euler', { guidanceScale: 5, scheduler: 'euler' }],
  ['rescaled', { guidanceScale: 5, guidanceRescale: 0.7 }],
  ['unguided', { guidanceScale: 1 }],
])('the embedded model matches diffusers: %s', (run, options) => compare(run, options));

test('its ControlNet for edges matches diffusers', async () => {
  const image = cannyEdges(await readImage(await bytesOf('ddim.png')));
  expect(largestDifference(rgbOf(image), decode(await bytesOf('edges-given.png')).data)).toBe(0);
  const adapters = { attached: { image, strength: 0.8 } };
  const options = { prompt: 'a green car in the snow', guidanceScale: 5, adapters };
  await withAttached(controlNet, () => compare('edges', options));
});

test('its four-step LoRA matches diffusers', async () => {
  await withAttached(lcmLora, () => compare('lcm', { scheduler: 'lcm', steps: 4, guidanceScale: 1 }));
});

test('its inpainting U-Net matches diffusers', async () => {
  const [image, mask] = await Promise.all(['ddim.png', 'mask-given.png'].map(bytesOf));
  const options = { prompt: 'a red truck on a road', guidanceScale: 5, image, mask };
  await using(loadPipeline(undefined, { components: { unet: inpaintingUnet } }), (painter) =>
    compare('inpaint', options, painter),
  );
});

test('its previews match diffusers', async () => {
  const latents = { type: 'float32', dims: [1, 4, 16, 16], data: await golden('ddim.latents.7') } as const;
  const seen = await sd.stages.previewVae!.decode(latents);
  const unit = { ...seen, data: seen.data.map((value) => Math.min(1, Math.max(0, value / 2 + 0.5))) };
  expect(largestDifference(rgbOfUnit(unit), decode(await bytesOf('preview.png')).data)).toBeLessThanOrEqual(1);
});

async function bytesOf(name: string): Promise<Buffer> {
  return readFile(new URL(name, folder));
}

async function withAttached(file: URL, use: () => Promise<void>): Promise<void> {
  await sd.attach(file, { name: 'attached' });
  try {
    await use();
  } finally {
    await sd.detach('attached');
  }
}

async function compare(run: string, options: Partial<GenerateOptions>, pipeline = sd): Promise<void> {
  const seen: StepEvent[] = [];
  const onStep = (step: StepEvent) => void seen.push(step);
  const settings = { prompt: 'a blue car on a road', steps: 8, seed: 1, onStep };
  const { images } = await pipeline.generate({ ...settings, ...options });

  expect(seen).toHaveLength(options.steps ?? settings.steps);
  const ratios = await golden('euler.ratios');
  let largest = 0;
  for (const { step, latents } of seen) {
    // diffusers' Euler scheduler keeps its latents divided by alpha.
    const alpha = run === 'euler' ? 1 / Math.hypot(1, ratios[step]) : 1;
    const want = await golden(`${run}.latents.${step}`);
    const unscaled = latents.data.map((value) => value / alpha);
    largest = Math.max(largest, largestDifference(unscaled, want));
  }
  const expected = decode(await bytesOf(`${run}.png`));
  expect(images[0]).toMatchObject({ width: expected.width, height: expected.height });
  const colours = largestDifference(rgbOf(images[0]), expected.data);
  measured('model-tiny', { latents: largest, colours });
  expect(largest).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
}
