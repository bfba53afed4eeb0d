import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError } from '@sd/core';
import { readImage } from '@sd/image';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measured } from '../../../../fixtures/deviations.js';
import { fixture } from '../../../../fixtures/golden.js';
import { controlLoraFiles } from '../../../adapters/test/control-lora/files.js';
import { largestDifference } from '../../../image/test/support.js';
import { loadPipeline, type Pipeline } from '../../src/index.js';
import { road, sourceOf } from '../support.js';

const folder = fixture('adapters/controlnet');
const diffusers = path.join(folder, 'canny', 'diffusion_pytorch_model.safetensors');

let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(fixture('models/sd1'));
});
afterAll(() => sd.dispose());

/** The image generated with a ControlNet. */
async function drawn(...[file, options]: Parameters<Pipeline['attach']>): Promise<number[]> {
  await sd.attach(file, { kind: 'controlnet', ...options, name: 'control' });
  try {
    const image = await readImage(new Uint8Array(await readFile(path.join(folder, 'canny.png'))));
    const { images } = await sd.generate({ ...road, adapters: { control: { image } } });
    return Array.from(images[0].data);
  } finally {
    await sd.detach('control');
  }
}

test('a ControlNet gives the same image as a folder, as its file alone, and in the original layout', async () => {
  const whole = await drawn(path.join(folder, 'canny'));
  expect(await drawn(diffusers)).toEqual(whole);
  // Without the config.json next to it.
  const alone = sourceOf(new Map([['x.safetensors', new Uint8Array(await readFile(diffusers))]]));
  expect(await drawn(alone, { path: 'x.safetensors' })).toEqual(whole);
  const original = await drawn(path.join(folder, 'control_model.safetensors'));
  measured('controlnet-original', { colours: largestDifference(original, whole) });
  expect(original).toEqual(whole);
});

test('a Control-LoRA gives the image of the ControlNet that it stands for', async () => {
  const { lora, merged } = await controlLoraFiles('sd1', 'adapters/controlnet/canny');
  const alone = (bytes: Uint8Array) => sourceOf(new Map([['x.safetensors', bytes]]));
  const want = await drawn(alone(merged), { path: 'x.safetensors' });
  const got = await drawn(alone(lora), { path: 'x.safetensors', kind: 'control-lora' });
  const colours = largestDifference(got, want);
  measured('control-lora', { colours });
  expect(colours).toBeLessThanOrEqual(1);
  const { images } = await sd.generate(road);
  expect(largestDifference(images[0].data, want)).toBeGreaterThan(9);
});

test('a file without a ControlNet is refused', async () => {
  const unet = path.join(fixture('models/sd1'), 'unet', 'diffusion_pytorch_model.safetensors');
  const refusal = expect(sd.attach(unet, { name: 'control', kind: 'controlnet' })).rejects;
  await refusal.toBeInstanceOf(CheckpointError);
  await refusal.toThrow(/diffusion_pytorch_model\.safetensors: has no ControlNet: its first tensor is conv_in\.bias\./);
});
