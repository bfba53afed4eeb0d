import { readFile } from 'node:fs/promises';
import { type Source, UnsupportedError } from '@sd/core';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadVae } from '../src/index.js';
import { vaeSuite } from '../src/testing.js';
import { tinyVaeConfig } from '../src/tiny-vae-config.js';
import { backend } from './vae.js';

const folder = fixture('models/taesd');
const golden = readGolden('golden.safetensors', folder);

const source: Source = {
  read: async (path, range) => {
    const bytes = await readFile(`${folder}/${path.replace(/^vae\//, '')}`);
    return bytes.subarray(range?.start, range?.end);
  },
};
const tiny = () => loadVae({ source, backend });

describe('a tiny autoencoder', () => {
  test('gives the same outputs as diffusers, and no standard deviation', async () => {
    const vae = await tiny();
    const { mean, std, unscaled } = await vae.encode(golden('vae.image'));
    const image = await vae.decode(golden('vae.latents'));
    await vae.dispose?.();
    for (const [got, name] of [
      [mean, 'vae.encoded'],
      [unscaled!, 'vae.encoded'],
      [image, 'vae.decoded'],
    ] as const) {
      expect(got.dims).toEqual(golden(name).dims);
      expect(stageError('taesd', got.data, golden(name).data)).toBeLessThan(1e-5);
    }
    expect(std).toBeUndefined();
    expect([vae.latentChannels, vae.scaleFactor, vae.unusedTensors]).toEqual([4, 8, []]);
  });

  test.each(vaeSuite({ create: tiny }))('conformance: $name', ({ run }) => run());
});

describe('AutoencoderTiny config', () => {
  const read = (values: Record<string, unknown>) => tinyVaeConfig(new Config('vae/config.json', values));

  test("has diffusers' defaults", () => {
    const level = (blocks: number) => ({ channels: 64, blocks });
    expect(read({})).toEqual({
      imageChannels: 3,
      latentChannels: 4,
      encoder: [1, 3, 3, 3].map(level),
      decoder: [3, 3, 3, 1].map(level),
      scalingFactor: 1,
    });
  });

  test.each([
    ['act_fn', 'silu', 'act_fn is "silu"; this version supports "relu"'],
    ['upsampling_scaling_factor', 4, 'upsampling_scaling_factor is 4; this version supports 2'],
    ['num_encoder_blocks', [1, 3], 'num_encoder_blocks has 2 levels and num_decoder_blocks 4'],
  ])('names an unsupported value: %s %j', (key, value, message) => {
    expect(() => read({ [key]: value })).toThrow(UnsupportedError);
    expect(() => read({ [key]: value })).toThrow(`vae/config.json: ${message}`);
  });
});
