import { openFolder } from '@sd/backend-node';
import { type Source, SourceError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadOnnxVae } from '../src/onnx.js';
import { vaeSuite } from '../src/testing.js';
import { backend, golden, latents, scalingFactor, times } from './vae.js';

const tolerance = 1e-5;
const vaeIn = async (model: string) => loadOnnxVae({ backend, source: await openFolder(fixture(`models/${model}`)) });

test.each(vaeSuite({ create: () => vaeIn('sd1-onnx-old') }))('conformance: $name', ({ run }) => run());

// The encoders of the last two sample by themselves.
test.each(['sd1-onnx', 'sd1-onnx-old', 'sd1-onnx-script'])(
  '%s: both halves give the same outputs as diffusers',
  async (model) => {
    const vae = await vaeIn(model);
    expect(vae).toMatchObject({ latentChannels: 4, scaleFactor: 8 });
    const image = await vae.decode(latents);
    expect(stageError(model, image.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
    const { mean, std, unscaled } = await vae.encode!(golden('vae.image'));
    expect(stageError(model, mean.data, times(golden('vae.mean'), scalingFactor).data)).toBeLessThan(tolerance);
    expect(stageError(model, unscaled!.data, golden('vae.mean').data)).toBeLessThan(tolerance);
    const deviation = golden('vae.logvar').data.map((value) => Math.exp(value / 2) * scalingFactor);
    expect(stageError(model, std!.data, deviation)).toBeLessThan(tolerance);
    const preview = await vae.preview!(latents);
    expect(preview.dims).toEqual([2, 3, 8, 12]);
    await vae.dispose?.();
  },
);

test('in half precision, one image at a time, the same as ONNX Runtime in Python', async () => {
  const want = readGolden('golden.safetensors', fixture('models/sd1-onnx-float16'));
  const vae = await vaeIn('sd1-onnx-float16');
  const image = await vae.decode(latents);
  const { unscaled } = await vae.encode!(golden('vae.image'));
  await vae.dispose?.();
  expect(stageError('sd1-onnx-float16', image.data, want('vae.decoded').data)).toBeLessThan(5e-3);
  const [rows, size] = [2, 4 * 8 * 12];
  const means = Array.from({ length: rows }, (_, i) =>
    want('vae.parameters').data.subarray(2 * i * size, (2 * i + 1) * size),
  );
  expect(
    stageError(
      'sd1-onnx-float16',
      unscaled!.data,
      means.flatMap((row) => [...row]),
    ),
  ).toBeLessThan(5e-3);
});

describe('without a config', () => {
  /** A folder without configs. */
  const withoutConfigs = async (): Promise<Source> => {
    const source = await openFolder(fixture('models/sd1-onnx'));
    const exists = (path: string) => !path.endsWith('config.json');
    return {
      async read(path, range) {
        if (exists(path)) return source.read(path, range);
        throw new SourceError('not-found', path, `${path} is missing.`);
      },
      size: async (path) => (exists(path) ? source.size!(path) : undefined),
    };
  };

  test.each([
    [0.18215, undefined],
    [0.13025, 0.13025],
  ])('latents are scaled by %s', async (factor, scalingFactor) => {
    const vae = await loadOnnxVae({ backend, source: await withoutConfigs(), scalingFactor });
    const { mean } = await vae.encode!(golden('vae.image'));
    await vae.dispose?.();
    expect(vae.scaleFactor).toBe(8);
    expect(stageError('sd1-onnx', mean.data, times(golden('vae.mean'), factor).data)).toBeLessThan(tolerance);
  });
});

test('refuses a model that is not a half of an autoencoder', async () => {
  const source = await openFolder(fixture('models/sd1-onnx'));
  await expect(loadOnnxVae({ backend, source, decoder: 'unet' })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('unet/model.onnx must have one input of 4 dimensions'),
  });
});
