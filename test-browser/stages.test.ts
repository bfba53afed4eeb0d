import { type Backend, type Source, type Tensor, tensor } from '@sd/core';
import { noisePredictorSuite } from '@sd/core/testing';
import { loadTextEncoder } from '@sd/text-encoder';
import { textEncoderSuite } from '@sd/text-encoder/testing';
import { loadUnet } from '@sd/unet';
import { loadVae } from '@sd/vae';
import { vaeSuite } from '@sd/vae/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendOn, providers } from './backends.js';
import { goldenTokens, openSd1, readFigures, relativeError } from './sd1.js';

const source: Source = await openSd1();
const golden = await readFigures(source, 'golden.safetensors');
/** Shaders' operators are each within 5e-7 of wasm's; over the U-Net that came to 1.4e-5. */
const tolerances = { wasm: 1e-5, webgpu: 3e-5 };
const scalingFactor = 0.18215;
const scaled = ({ dims, data }: Tensor<'float32'>) =>
  tensor(
    'float32',
    dims,
    data.map((value) => value * scalingFactor),
  );

describe.each(providers)('stages on %s', (provider) => {
  const tolerance = tolerances[provider];
  let backend: Backend;
  beforeAll(async () => {
    backend = await backendOn(provider);
  });
  afterAll(() => backend?.dispose());

  const suites = {
    'text encoder': textEncoderSuite({
      create: () => loadTextEncoder({ source, backend }),
      tokens: goldenTokens(golden),
    }),
    'U-Net': noisePredictorSuite({ create: () => loadUnet({ source, backend }), contextWidth: 32 }),
    VAE: vaeSuite({ create: () => loadVae({ source, backend }) }),
  };
  for (const [stage, suite] of Object.entries(suites)) {
    for (const { name, run } of suite) test(`${stage}: ${name}`, run);
  }

  test('text encoder: the numbers of transformers', async () => {
    const encoder = await loadTextEncoder({ source, backend });
    const embeddings = await encoder.encode(goldenTokens(golden));
    await encoder.dispose?.();
    const joined = (tensors: Tensor<'float32'>[]) => tensors.flatMap(({ data }) => [...data]);
    const hidden = joined(embeddings.map((embedding) => embedding.hidden));
    const pooled = joined(embeddings.map((embedding) => embedding.pooled!));
    expect(relativeError(hidden, golden('text.last_hidden_state').data)).toBeLessThan(tolerance);
    expect(relativeError(pooled, golden('text.pooled').data)).toBeLessThan(tolerance);
  });

  test.each([1, 500, 999])('U-Net: the numbers of diffusers at t = %i', async (timestep) => {
    const unet = await loadUnet({ source, backend });
    const input = { sample: golden('unet.sample'), timestep, context: golden('unet.context') };
    const { dims, data } = await unet.predict(input);
    await unet.dispose?.();
    expect(dims).toEqual(golden(`unet.out.t${timestep}`).dims);
    expect(relativeError(data, golden(`unet.out.t${timestep}`).data)).toBeLessThan(tolerance);
  });

  test('VAE: the numbers of diffusers', async () => {
    const vae = await loadVae({ source, backend });
    const { mean } = await vae.encode(golden('vae.image'));
    const picture = await vae.decode(scaled(golden('vae.latents')));
    await vae.dispose?.();
    expect(relativeError(mean.data, scaled(golden('vae.mean')).data)).toBeLessThan(tolerance);
    expect(relativeError(picture.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
  });
});
