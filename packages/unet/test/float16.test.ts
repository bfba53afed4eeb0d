import { createNodeBackend, openFolder } from '@sd/backend-node';
import type { Tensor } from '@sd/core';
import { afterAll, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { type CheckpointUnet, loadUnet } from '../src/index.js';

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
