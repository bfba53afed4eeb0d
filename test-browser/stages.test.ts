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

// On webgpu, a model rounds differently while another one is loaded, by up to 9e-5: each has the device for itself.
describe.each(providers)('figures on %s', (provider) => {
  const tolerance = tolerances[provider];

  /** Runs a stage that is alone on its backend. */
  async function alone<T extends StageResources>(
    load: (from: { readonly source: Source; readonly backend: Backend }) => Promise<T>,
    use: (stage: T) => Promise<void>,
  ): Promise<void> {
    const backend = await backendOn(provider);
    try {
      const stage = await load({ source, backend });
      await use(stage);
      await stage.dispose?.();
    } finally {
      await backend.dispose();
    }
  }

  test('text encoder: matches transformers', () =>
    alone(loadTextEncoder, async (textEncoder) => {
      const embeddings = await textEncoder.encode(goldenTokens(golden));
      const joined = (tensors: Tensor<'float32'>[]) => tensors.flatMap(({ data }) => [...data]);
      const hidden = joined(embeddings.map((embedding) => embedding.hidden));
      const pooled = joined(embeddings.flatMap((embedding) => embedding.pooled ?? []));
      expect(relativeError(hidden, golden('text.last_hidden_state').data)).toBeLessThan(tolerance);
      expect(relativeError(pooled, golden('text.pooled').data)).toBeLessThan(tolerance);
    }));

  test('U-Net: matches diffusers at three timesteps', () =>
    alone(loadUnet, async (unet) => {
      for (const timestep of [1, 500, 999]) {
        const input = { sample: golden('unet.sample'), timestep, context: golden('unet.context') };
        const { dims, data } = await unet.predict(input);
        expect(dims).toEqual(golden(`unet.out.t${timestep}`).dims);
        expect(relativeError(data, golden(`unet.out.t${timestep}`).data)).toBeLessThan(tolerance);
      }
    }));

  test('VAE: matches diffusers', () =>
    alone(loadVae, async (vae) => {
      const { mean } = await vae.encode(golden('vae.image'));
      const image = await vae.decode(scaled(golden('vae.latents')));
      expect(relativeError(mean.data, scaled(golden('vae.mean')).data)).toBeLessThan(tolerance);
      expect(relativeError(image.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
    }));
});

describe.each(providers)('stages on %s', (provider) => {
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

  const suites = {
    'text encoder': textEncoderSuite({ create: textEncoder, tokens: goldenTokens(golden) }),
    'U-Net': noisePredictorSuite({ create: unet, contextWidth: 32 }),
    VAE: vaeSuite({ create: vae }),
  };
  for (const [stage, suite] of Object.entries(suites)) {
    for (const { name, run } of suite) test(`${stage}: ${name}`, run);
  }
});
