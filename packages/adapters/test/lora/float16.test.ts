import { createNodeBackend, openFolder } from '@sd/backend-node';
import { tensor } from '@sd/core';
import { loadUnet, type UnetExtension } from '@sd/unet';
import { openWeights } from '@sd/weights';
import { afterAll, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { openLora } from '../../src/index.js';

/** Measured: 1e-3 to 2e-3, a few rounding errors of 2^-11. */
const tolerance = 4e-3;

const backend = createNodeBackend({ threads: 1, float16: true });
afterAll(() => backend.dispose());

test.each([
  ['lora-kohya', 0.7],
  ['loha', 0.7],
  ['lokr', 0.7],
  ['dora-lycoris', 1],
])('with %s in half precision', async (folder, strength) => {
  const place = fixture(`adapters/${folder}`);
  const golden = readGolden('golden.safetensors', place);
  const lora = openLora(await openWeights(await openFolder(place), 'style.safetensors'), { name: 'style' });
  const plain = await loadUnet({ source: await openFolder(fixture('models/sd1')), backend });
  const unet = plain.withExtensions([lora.extensions.unet as UnetExtension]);
  const { data } = await unet.predict({
    sample: golden('unet.sample'),
    timestep: 500,
    context: golden('text.prompt'),
    conditions: { 'strength.style': tensor('float32', [1], Float32Array.of(strength)) },
  });
  await unet.dispose?.();
  expect(relativeError(data, golden('unet.out.t500').data)).toBeLessThan(tolerance);
});
