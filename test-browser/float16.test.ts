import type { Backend } from '@sd/core';
import { loadTextEncoder } from '@sd/text-encoder';
import { loadUnet } from '@sd/unet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backendOn } from './backends.js';
import { goldenTokens, openSd1, readFigures, relativeError } from './sd1.js';

const source = await openSd1();
const golden = await readFigures(source, 'golden.safetensors');
let backend: Backend;
beforeAll(async () => {
  // WebAssembly rounds what each operator gives to half precision: the numbers of a device that has it, at no gain.
  backend = { ...(await backendOn('wasm')), features: { float16: true } };
});
afterAll(() => backend?.dispose());

test.each([1, 500, 999])('the U-Net in half precision is near the numbers of diffusers at t = %i', async (timestep) => {
  const unet = await loadUnet({ source, backend });
  const { data } = await unet.predict({ sample: golden('unet.sample'), timestep, context: golden('unet.context') });
  await unet.dispose?.();
  const error = relativeError(data, golden(`unet.out.t${timestep}`).data);
  // 1.7e-3 was measured.
  expect(error).toBeGreaterThan(1e-4);
  expect(error).toBeLessThan(4e-3);
});

test('the text encoder in half precision is near the numbers of transformers', async () => {
  const encoder = await loadTextEncoder({ source, backend });
  const embeddings = await encoder.encode(goldenTokens(golden));
  await encoder.dispose?.();
  const hidden = embeddings.flatMap((embedding) => [...embedding.hidden.data]);
  const error = relativeError(hidden, golden('text.last_hidden_state').data);
  expect(error).toBeGreaterThan(1e-5);
  expect(error).toBeLessThan(4e-3);
});
