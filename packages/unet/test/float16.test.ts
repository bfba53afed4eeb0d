import { openLora } from '@sd/adapters';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Tensor, tensor } from '@sd/core';
import { openWeights } from '@sd/weights';
import { afterAll, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { type CheckpointUnet, loadUnet, type UnetExtension } from '../src/index.js';

/** Measured: 1e-3 to 2e-3, a few rounding errors of 2^-11. */
const tolerance = 4e-3;

const backend = createNodeBackend({ threads: 1, float16: true });
afterAll(() => backend.dispose());

type Figures = (name: string) => Tensor<'float32'>;

const unetOf = async (model: string) => loadUnet({ source: await openFolder(fixture(model)), backend });

async function expectNear(unet: CheckpointUnet, golden: Figures, timestep: number, added: readonly string[] = []) {
  const conditions = Object.fromEntries(added.map((name) => [name, golden(`unet.${name}`)]));
  const input = { sample: golden('unet.sample'), context: golden('unet.context'), timestep, conditions };
  const { data } = await unet.predict(input);
  const error = relativeError(data, golden(`unet.out.t${timestep}`).data);
  // A smaller error would mean that it ran in float32.
  expect(error).toBeGreaterThan(1e-4);
  expect(error).toBeLessThan(tolerance);
}

test.each([1, 500, 999])('SD 1 in half precision is close to diffusers, t = %i', async (timestep) => {
  const unet = await unetOf('models/sd1');
  await expectNear(unet, readGolden(), timestep);
  await unet.dispose?.();
});

test('SDXL in half precision, with its sizes and pooled text', async () => {
  const unet = await unetOf('models/sdxl');
  const golden = readGolden('golden.safetensors', fixture('models/sdxl'));
  await expectNear(unet, golden, 500, ['text_embeds', 'time_ids']);
  await unet.dispose?.();
});

test.each([
  ['lora-kohya', 0.7],
  ['loha', 0.7],
  ['lokr', 0.7],
  ['dora-lycoris', 1],
])('with %s in half precision', async (folder, strength) => {
  const place = fixture(`adapters/${folder}`);
  const golden = readGolden('golden.safetensors', place);
  const lora = openLora(await openWeights(await openFolder(place), 'style.safetensors'), { name: 'style' });
  const unet = (await unetOf('models/sd1')).withExtensions([lora.extensions.unet as UnetExtension]);
  const { data } = await unet.predict({
    sample: golden('unet.sample'),
    timestep: 500,
    context: golden('text.prompt'),
    conditions: { 'strength.style': tensor('float32', [1], Float32Array.of(strength)) },
  });
  await unet.dispose?.();
  expect(relativeError(data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
});
