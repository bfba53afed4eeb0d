import { rm } from 'node:fs/promises';
import { CheckpointError, UnsupportedError } from '@sd/core';
import { Config } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { type TensorToWrite, tensorsOf, writeVariant } from '../../../fixtures/variants.js';
import { vaeConfig } from '../src/index.js';
import { coded, golden, latents, scalingFactor, times, vaeIn } from './vae.js';

const folders: string[] = [];
async function writeFolder(options: Parameters<typeof writeVariant>[1]): Promise<string> {
  const folder = await writeVariant('vae', options);
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

describe('scaling', () => {
  test('and shift give the U-Net’s latents', async () => {
    const shifted = await writeFolder({ config: { scaling_factor: 0.5, shift_factor: 0.25 } });
    const { mean, std } = await coded(shifted);
    const want = times(golden('vae.mean'), 0.5, -0.25 * 0.5);
    expect(relativeError(mean.data, want.data)).toBeLessThan(1e-5);
    const deviation = golden('vae.logvar').data.map((value) => Math.exp(value / 2) * 0.5);
    expect(relativeError(std.data, deviation)).toBeLessThan(1e-5);

    const vae = await vaeIn(shifted);
    const image = await vae.decode(times(golden('vae.latents'), 0.5, -0.25 * 0.5));
    await vae.dispose?.();
    expect(relativeError(image.data, golden('vae.decoded').data)).toBeLessThan(1e-5);
  });

  test('by mean and standard deviation of each channel', async () => {
    const [means, deviations] = [
      [-1.5, 0.25, 0, 3],
      [8, 4, 0.5, 2],
    ];
    const folder = await writeFolder({ config: { scaling_factor: 0.5, latents_mean: means, latents_std: deviations } });
    const { mean, std } = await coded(folder);
    const channel = (i: number) => Math.floor(i / (8 * 12)) % 4;
    const scaled = (values: Float32Array) =>
      values.map((value, i) => ((value - means[channel(i)]) * 0.5) / deviations[channel(i)]);
    expect(relativeError(mean.data, scaled(golden('vae.mean').data))).toBeLessThan(1e-5);
    const deviation = golden('vae.logvar').data.map((value, i) => (Math.exp(value / 2) * 0.5) / deviations[channel(i)]);
    expect(relativeError(std.data, deviation)).toBeLessThan(1e-5);

    const vae = await vaeIn(folder);
    const raw = golden('vae.latents');
    const image = await vae.decode({ ...raw, data: scaled(raw.data) });
    await vae.dispose?.();
    expect(relativeError(image.data, golden('vae.decoded').data)).toBeLessThan(1e-5);
  });

  test.each([
    [100, 20],
    [-100, -30],
  ])('clamps a log-variance near %i to %i', async (bias, clamped) => {
    const withBias = (tensor: TensorToWrite): TensorToWrite => ({
      ...tensor,
      bytes: () => new Uint8Array(Float32Array.of(0, 0, 0, 0, bias, bias, bias, bias).buffer),
    });
    const tensors = (await tensorsOf('vae')).map((tensor) =>
      tensor.name === 'quant_conv.bias' ? withBias(tensor) : tensor,
    );
    const { std } = await coded(await writeFolder({ tensors }));
    // Every operation in float32, as in torch.
    const want = Math.fround(Math.fround(Math.exp(clamped / 2)) * scalingFactor);
    expect(new Set(std.data)).toEqual(new Set([want]));
  });
});

test('layers that the config leaves out are not used', async () => {
  const folder = await writeFolder({
    config: { use_quant_conv: false, use_post_quant_conv: false, mid_block_add_attention: false },
  });
  const vae = await vaeIn(folder);
  const parts = new Set(vae.unusedTensors.map((name) => name.replace(/(\.\w+)?\.(weight|bias)$/, '')));
  expect([...parts].sort()).toEqual([
    'decoder.mid_block.attentions.0',
    'decoder.mid_block.attentions.0.to_out',
    'encoder.mid_block.attentions.0',
    'encoder.mid_block.attentions.0.to_out',
    'post_quant_conv',
    'quant_conv',
  ]);
  expect((await vae.decode(latents)).dims).toEqual([2, 3, 64, 96]);
  await vae.dispose?.();
});

describe('config', () => {
  const read = (values: Record<string, unknown>) => vaeConfig(new Config('vae/config.json', values));

  test("has diffusers' defaults", () => {
    expect(read({})).toEqual({
      imageChannels: 3,
      latentChannels: 4,
      channels: [64],
      layersPerBlock: 1,
      groups: 32,
      midAttention: true,
      quantConv: true,
      postQuantConv: true,
      scale: [0.18215, 0.18215, 0.18215, 0.18215],
      shift: [0, 0, 0, 0],
    });
  });

  test.each([
    ['act_fn', 'relu', 'act_fn is "relu"; this version supports "silu"'],
    [
      'down_block_types',
      ['DownBlock2D'],
      'down_block_types is DownBlock2D; only 1 times DownEncoderBlock2D is supported',
    ],
    ['block_out_channels', [64, 128], 'down_block_types is DownEncoderBlock2D; only 2 times'],
  ])('names an unsupported value: %s %j', (key, value, message) => {
    expect(() => read({ [key]: value })).toThrow(UnsupportedError);
    expect(() => read({ [key]: value })).toThrow(`vae/config.json: ${message}`);
  });

  test('names a value of the wrong type', () => {
    expect(() => read({ scaling_factor: '0.18215' })).toThrow(CheckpointError);
    expect(() => read({ scaling_factor: '0.18215' })).toThrow('scaling_factor is "0.18215", not a number');
  });
});
