import { CheckpointError, UnsupportedError } from '@sd/core';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { mmditConfig } from '../src/index.js';

const read = (values: Record<string, unknown>) => mmditConfig(new Config('transformer/config.json', values));

/** transformer/config.json of stable-diffusion-3.5-medium. */
const medium = {
  attention_head_dim: 64,
  caption_projection_dim: 1536,
  dual_attention_layers: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  in_channels: 16,
  joint_attention_dim: 4096,
  num_attention_heads: 24,
  num_layers: 24,
  out_channels: 16,
  patch_size: 2,
  pooled_projection_dim: 2048,
  pos_embed_max_size: 384,
  qk_norm: 'rms_norm',
  sample_size: 128,
};

test("the config of 3.5 medium, and diffusers' defaults", () => {
  const expected = {
    inChannels: 16,
    outChannels: 16,
    sampleSize: 128,
    patchSize: 2,
    width: 1536,
    heads: 24,
    layers: 24,
    contextWidth: 4096,
    pooledWidth: 2048,
    positionSize: 384,
    dualAttentionLayers: medium.dual_attention_layers,
    normalizedHeads: true,
  };
  expect(read(medium)).toEqual(expected);
  expect(read({ ...medium, out_channels: null, in_channels: 17 }).outChannels).toBe(17);
  expect(read({})).toEqual({
    ...expected,
    width: 1152,
    heads: 18,
    layers: 18,
    positionSize: 96,
    dualAttentionLayers: [],
    normalizedHeads: false,
  });
});

test('an empty list of layers, and no norm, as in the first version', () => {
  expect(read({ ...medium, dual_attention_layers: [], qk_norm: null })).toMatchObject({
    dualAttentionLayers: [],
    normalizedHeads: false,
  });
});

describe('errors name the value', () => {
  test('an unsupported norm', () => {
    expect(() => read({ ...medium, qk_norm: 'layer_norm' })).toThrow(UnsupportedError);
    expect(() => read({ ...medium, qk_norm: 'layer_norm' })).toThrow(
      'transformer/config.json: qk_norm is "layer_norm"; this version supports "rms_norm"',
    );
  });

  test.each([
    [
      'caption_projection_dim',
      1152,
      'caption_projection_dim is 1152, but num_attention_heads times attention_head_dim is',
    ],
    ['dual_attention_layers', ['0'], 'dual_attention_layers is ["0"], not a list of numbers'],
    ['patch_size', '2', 'patch_size is "2", not a number'],
  ])('%s: %j', (key, value, message) => {
    expect(() => read({ ...medium, [key]: value })).toThrow(CheckpointError);
    expect(() => read({ ...medium, [key]: value })).toThrow(`transformer/config.json: ${message}`);
  });
});
