import { readFileSync } from 'node:fs';
import { CheckpointError, type Source } from '@sd/core';
import { readImage } from '@sd/image';
import { openSafetensors, openWeights, type TensorToWrite } from '@sd/weights';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { fileOf, floats, memorySource } from '../../../weights/test/memory.js';
import { inspect, loadPipeline, type Pipeline } from '../../src/index.js';
import { road } from '../support.js';

const adapter = (name: string) => fixture(`adapters/${name}`);
const word = `${adapter('textual-inversion')}/blob.safetensors`;

let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(fixture('models/sd1'));
});
afterAll(() => sd.dispose());

const x = (bytes: Uint8Array): Source => memorySource({ 'x.safetensors': bytes });
const path = 'x.safetensors';

/** A file's tensors with their values in float32. */
async function tensorsOf(file: string) {
  const { tensors } = await openSafetensors(memorySource({ file: new Uint8Array(readFileSync(file)) }), 'file');
  const values = async (name: string) => {
    const { file: whole, offset, length } = tensors.get(name)!;
    return new Float32Array(Uint8Array.from((await whole.read()).subarray(offset, offset + length)).buffer);
  };
  return { tensors, values };
}

async function latentsWith(source: Source, options: Partial<Parameters<Pipeline['generate']>[0]>): Promise<number[]> {
  await sd.attach(source, { path, name: 'one' });
  try {
    const { latents } = await sd.generate({ ...road, ...options, output: 'latents' });
    return Array.from(latents!.data);
  } finally {
    await sd.detach('one');
  }
}

const largest = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

test('a ControlNet of differences is added to the U-Net’s weights', async () => {
  const unet = await tensorsOf(`${adapter('single-file')}/sd1.safetensors`);
  const control = `${adapter('controlnet')}/control_model.safetensors`;
  const net = await tensorsOf(control);
  let shared = 0;
  const written: TensorToWrite[] = [floats('difference', [], [1])];
  for (const [name, { shape }] of net.tensors) {
    const values = await net.values(name);
    const base = name.replace('control_model.', 'model.diffusion_model.');
    if (unet.tensors.has(base)) {
      shared += 1;
      const own = await unet.values(base);
      for (let i = 0; i < values.length; i++) values[i] -= own[i];
    }
    written.push(floats(name, shape, values));
  }
  expect(shared).toBeGreaterThan(100);
  const difference = await fileOf(written);
  const image = await readImage(new Uint8Array(readFileSync(`${adapter('controlnet')}/canny.png`)));
  const run = { steps: 2, adapters: { one: { image } } };
  const want = await latentsWith(x(new Uint8Array(readFileSync(control))), run);
  expect(largest(await latentsWith(x(difference), run), want)).toBeLessThan(1e-4);
  expect(await inspect(x(difference), { path })).toMatchObject({
    kind: 'controlnet',
    details: { difference: true },
  });
});

test('an IP-Adapter beside the encoder of another one is refused with both widths', async () => {
  const folder = adapter('ip-adapter');
  const { tensors, values } = await tensorsOf(`${folder}/ip-adapter.safetensors`);
  const written = await Promise.all(
    [...tensors].map(async ([name, { shape }]) => {
      if (name !== 'image_proj.proj.weight') return floats(name, shape, await values(name));
      const [out, width] = shape;
      return floats(name, [out, width + 8], new Float32Array(out * (width + 8)));
    }),
  );
  const encoder = (file: string) => readFileSync(`${folder}/image_encoder/${file}`);
  const source = memorySource({
    'x.safetensors': await fileOf(written),
    'image_encoder/config.json': encoder('config.json'),
    'image_encoder/model.safetensors': encoder('model.safetensors'),
  });
  const attaching = sd.attach(source, { path });
  await expect(attaching).rejects.toBeInstanceOf(CheckpointError);
  await expect(attaching).rejects.toThrow(
    /image encoder with embeddings of width 32, but those of image_encoder are 24/,
  );
});

test('each tensor of a textual inversion with several words is a word, in every file', async () => {
  const { tensors, values } = await tensorsOf(word);
  const [, width] = tensors.get('emb_params')!.shape;
  const rows = await values('emb_params');
  const row = (name: string, i: number) => floats(name, [1, width], rows.subarray(i * width, (i + 1) * width));
  const request = { prompt: 'a blue <a-1> on a <b.c> road', steps: 1 };
  await sd.attach(x(await fileOf([row('<b.c>', 1)])), { path, name: 'other' });
  const want = await latentsWith(x(await fileOf([row('<a-1>', 0)])), request);
  await sd.detach('other');
  const both = await fileOf([row('<a-1>', 0), row('<b.c>', 1)]);
  expect(await latentsWith(x(both), request)).toEqual(want);
  expect(await inspect(x(both), { path })).toMatchObject({
    kind: 'textual-inversion',
    details: { tokens: ['<a-1>', '<b.c>'], vectors: [1, 1], width },
  });
  expect((await latentsWith(x(both), { prompt: 'a blue car', steps: 1 })).length).toBe(want.length);
});

test('two files that teach the same word: the later one counts', async () => {
  const { tensors, values } = await tensorsOf(word);
  const [, width] = tensors.get('emb_params')!.shape;
  const rows = await values('emb_params');
  const file = (i: number) => fileOf([floats('<a>', [1, width], rows.subarray(i * width, (i + 1) * width))]);
  const request = { prompt: 'a blue <a> car', steps: 1 };
  const want = await latentsWith(x(await file(1)), request);
  await sd.attach(x(await file(0)), { path, name: 'first' });
  expect(await latentsWith(x(await file(1)), request)).toEqual(want);
  await sd.detach('first');
});

test('vectors that are none are refused', async () => {
  for (const shape of [
    [0, 32],
    [1, 0],
  ]) {
    const attaching = sd.attach(x(await fileOf([floats('<a>', shape, [])])), { path, kind: 'textual-inversion' });
    await expect(attaching).rejects.toMatchObject({ code: 'misshapen-tensor', tensor: '<a>' });
  }
  const { tensors } = await openWeights(x(await fileOf([floats('<a>', [0, 32], [])])), path);
  expect(tensors.size).toBe(1);
});
