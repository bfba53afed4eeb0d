import { type Backend, type Source, type StageResources, type Tensor, tensor } from '@sd/core';
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
  const loaded: Promise<StageResources>[] = [];
  afterAll(async () => {
    for (const stage of loaded) await (await stage).dispose?.();
    await backend?.dispose();
  });

  /** Loads a stage at its first use, for all tests. */
  function shared<T extends StageResources>(load: () => Promise<T>): () => Promise<T> {
    let stage: Promise<T> | undefined;
    return async () => {
      if (stage === undefined) {
        stage = load();
        loaded.push(stage);
      }
      // The suites dispose of every stage that they create; these live on.
      return Object.create(await stage, { dispose: { value: undefined } });
    };
  }

  // Every session compiles its shaders anew, which takes far longer here than running them: all tests share the stages.
  const textEncoder = shared(() => loadTextEncoder({ source, backend }));
  const unet = shared(() => loadUnet({ source, backend }));
  const vae = shared(() => loadVae({ source, backend }));

  // Figures first, and the VAE's before all: on webgpu its encoder rounds differently, by up to 9e-5, once another model of
  // the device has run, or the VAE itself at another size.
  test('VAE: matches diffusers', async () => {
    const stage = await vae();
    const { mean } = await stage.encode(golden('vae.image'));
    const image = await stage.decode(scaled(golden('vae.latents')));
    expect(relativeError(mean.data, scaled(golden('vae.mean')).data)).toBeLessThan(tolerance);
    expect(relativeError(image.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
  });

  test('text encoder: matches transformers', async () => {
    const embeddings = await (await textEncoder()).encode(goldenTokens(golden));
    const joined = (tensors: Tensor<'float32'>[]) => tensors.flatMap(({ data }) => [...data]);
    const hidden = joined(embeddings.map((embedding) => embedding.hidden));
    const pooled = joined(embeddings.flatMap((embedding) => embedding.pooled ?? []));
    expect(relativeError(hidden, golden('text.last_hidden_state').data)).toBeLessThan(tolerance);
    expect(relativeError(pooled, golden('text.pooled').data)).toBeLessThan(tolerance);
  });

  test.each([1, 500, 999])('U-Net: matches diffusers at t = %i', async (timestep) => {
    const input = { sample: golden('unet.sample'), timestep, context: golden('unet.context') };
    const { dims, data } = await (await unet()).predict(input);
    expect(dims).toEqual(golden(`unet.out.t${timestep}`).dims);
    expect(relativeError(data, golden(`unet.out.t${timestep}`).data)).toBeLessThan(tolerance);
  });

  const suites = {
    'text encoder': textEncoderSuite({ create: textEncoder, tokens: goldenTokens(golden) }),
    'U-Net': noisePredictorSuite({ create: unet, contextWidth: 32 }),
    VAE: vaeSuite({ create: vae }),
  };
  for (const [stage, suite] of Object.entries(suites)) {
    for (const { name, run } of suite) test(`${stage}: ${name}`, run);
  }
});
