import { readFile } from 'node:fs/promises';
import { openFolder } from '@sd/backend-node';
import { openSafetensors, toFloat32 } from '@sd/graph';
import { previewVae } from '@sd/model-tiny';
import { folder as controlNet } from '@sd/model-tiny-controlnet';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measured } from '../../../fixtures/deviations.js';
import {
  cannyEdges,
  type GenerateOptions,
  loadPipeline,
  type Pipeline,
  readPicture,
  type StepEvent,
} from '../src/index.js';
import { largestDifference, rgbOf, rgbOfUnit } from './support.js';

const folder = new URL('./data/model-tiny/', import.meta.url);
let sd: Pipeline;
let golden: (name: string) => Promise<Float32Array>;
beforeAll(async () => {
  sd = await loadPipeline(undefined, { previewVae });
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
])('the embedded model draws as diffusers does: %s', compare);

test('the embedded model draws along edges as diffusers does', async () => {
  const image = cannyEdges(await readPicture(await bytesOf('ddim.png')));
  expect(largestDifference(rgbOf(image), decode(await bytesOf('edges-given.png')).data)).toBe(0);
  await sd.attach(controlNet, { name: 'edges' });
  await compare('edges', { prompt: 'a green car in the snow', guidanceScale: 5, controls: [{ image, strength: 0.8 }] });
  await sd.detach('edges');
});

test('its previews are those of diffusers', async () => {
  const latents = { type: 'float32', dims: [1, 4, 16, 16], data: await golden('ddim.latents.7') } as const;
  const seen = await sd.stages.previewVae!.decode(latents);
  const unit = { ...seen, data: seen.data.map((value) => Math.min(1, Math.max(0, value / 2 + 0.5))) };
  expect(largestDifference(rgbOfUnit(unit), decode(await bytesOf('preview.png')).data)).toBeLessThanOrEqual(1);
});

async function bytesOf(name: string): Promise<Buffer> {
  return readFile(new URL(name, folder));
}

async function compare(run: string, options: Partial<GenerateOptions>): Promise<void> {
  const steps: StepEvent[] = [];
  const onStep = (step: StepEvent) => void steps.push(step);
  const { images } = await sd.generate({ prompt: 'a blue car on a road', steps: 8, seed: 1, onStep, ...options });

  expect(steps).toHaveLength(8);
  const ratios = await golden('euler.ratios');
  let largest = 0;
  for (const { step, latents } of steps) {
    // diffusers' Euler keeps its latents divided by alpha.
    const alpha = run === 'euler' ? 1 / Math.hypot(1, ratios[step]!) : 1;
    const want = await golden(`${run}.latents.${step}`);
    const unscaled = latents.data.map((value) => value / alpha);
    largest = Math.max(largest, largestDifference(unscaled, want));
  }
  const picture = decode(await bytesOf(`${run}.png`));
  expect(images[0]).toMatchObject({ width: picture.width, height: picture.height });
  const colours = largestDifference(rgbOf(images[0]!), picture.data);
  measured('model-tiny', { latents: largest, colours });
  expect(largest).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
}
