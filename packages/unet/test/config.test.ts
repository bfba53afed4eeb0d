import { CheckpointError, UnsupportedError } from '@sd/core';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { unetConfig } from '../src/index.js';

const sd15 = {
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 8,
  cross_attention_dim: 768,
  layers_per_block: 2,
};

const read = (values: Record<string, unknown>) => unetConfig(new Config('unet/config.json', values));

test('Stable Diffusion 1.5, with diffusers’ defaults for the rest', () => {
  const level = {
    resnets: 2,
    downHeads: 8,
    upHeads: 8,
    downDepths: [1, 1],
    upDepths: [1, 1, 1],
    contextWidth: 768,
  };
  expect(read(sd15)).toEqual({
    inChannels: 4,
    outChannels: 4,
    sampleSize: 64,
    levels: [
      { ...level, channels: 320 },
      { ...level, channels: 640 },
      { ...level, channels: 1280 },
      { ...level, channels: 1280, downHeads: 0, upHeads: 0 },
    ],
    mid: { heads: 8, depth: 1 },
    groups: 32,
    epsilon: 1e-5,
    cosineFirst: true,
    frequencyShift: 0,
    upcastAttention: false,
    added: undefined,
    guidanceWidth: undefined,
  });
});

test('a value per block', () => {
  const { levels, mid, cosineFirst, frequencyShift } = read({
    ...sd15,
    attention_head_dim: [5, 10, 20, 20],
    layers_per_block: [1, 2, 3, 4],
    transformer_layers_per_block: [1, 2, 10, 1],
    flip_sin_to_cos: false,
    freq_shift: 1,
  });
  expect(levels.map(({ downHeads }) => downHeads)).toEqual([5, 10, 20, 0]);
  expect(levels.map(({ resnets }) => resnets)).toEqual([1, 2, 3, 4]);
  expect(levels.map(({ downDepths }) => downDepths)).toEqual([[1], [2, 2], [10, 10, 10], [1, 1, 1, 1]]);
  expect(levels.map(({ upDepths }) => upDepths.length)).toEqual([2, 3, 4, 5]);
  expect([mid, cosineFirst, frequencyShift]).toEqual([{ heads: 20, depth: 1 }, false, 1]);
});

test('transformer blocks per attention, with different ones on the up path', () => {
  const { levels, mid } = read({
    ...sd15,
    transformer_layers_per_block: [[0, 0], [2, 2], [4, 3], 1],
    reverse_transformer_layers_per_block: [[5, 6, 7], 4, [1, 2, 3], [1, 1, 1]],
  });
  expect(levels.map(({ downDepths }) => downDepths)).toEqual([
    [0, 0],
    [2, 2],
    [4, 3],
    [1, 1],
  ]);
  expect(levels.map(({ upDepths }) => upDepths)).toEqual([
    [1, 1, 1],
    [1, 2, 3],
    [4, 4, 4],
    [5, 6, 7],
  ]);
  expect(mid).toEqual({ heads: 8, depth: 1 });
});

test('no mid block', () => {
  expect(read({ ...sd15, mid_block_type: null }).mid).toBeUndefined();
});

test('SDXL’s added embedding, and LCM’s guidance embedding', () => {
  const { added, guidanceWidth } = read({
    ...sd15,
    addition_embed_type: 'text_time',
    addition_time_embed_dim: 256,
    projection_class_embeddings_input_dim: 2816,
    time_cond_proj_dim: 256,
  });
  expect(added).toEqual({ timeWidth: 256, width: 2816 });
  expect(guidanceWidth).toBe(256);
});

describe('an unsupported value is named', () => {
  test.each([
    ['act_fn', 'gelu', 'act_fn is "gelu"; this version supports "silu"'],
    ['addition_embed_type', 'image', 'addition_embed_type is "image"'],
    ['class_embed_type', 'timestep', 'class_embed_type is "timestep"'],
    ['conv_in_kernel', 1, 'conv_in_kernel is 1; this version supports 3'],
    ['dual_cross_attention', true, 'dual_cross_attention is true; this version supports false'],
    ['mid_block_type', 'UNetMidBlock2DSimpleCrossAttn', 'mid_block_type is "UNetMidBlock2DSimpleCrossAttn"'],
    ['resnet_time_scale_shift', 'scale_shift', 'resnet_time_scale_shift is "scale_shift"'],
    ['down_block_types', ['AttnDownBlock2D'], 'down_block_types has AttnDownBlock2D'],
    ['up_block_types', ['UpBlock2D'], 'up_block_types has 1 blocks, but block_out_channels has 4'],
  ])('%s: %j', (key, value, message) => {
    const run = () => read({ ...sd15, [key]: value });
    expect(run).toThrow(UnsupportedError);
    expect(run).toThrow(`unet/config.json: ${message}`);
  });
});

describe('a wrong value is named', () => {
  test.each([
    ['in_channels', '4', 'in_channels is "4", not a number'],
    ['flip_sin_to_cos', 1, 'flip_sin_to_cos is 1, not true or false'],
    ['block_out_channels', [], 'block_out_channels is [], not a list of numbers'],
    ['layers_per_block', [2, 2], 'layers_per_block has 2 values for 4 blocks'],
    ['down_block_types', undefined, 'down_block_types is missing'],
    ['addition_embed_type', 'text_time', 'addition_time_embed_dim is missing'],
    ['transformer_layers_per_block', [1, 2], 'transformer_layers_per_block is [1,2], which does not fit 4 blocks'],
  ])('%s: %j', (key, value, message) => {
    const run = () => read({ ...sd15, [key]: value });
    expect(run).toThrow(CheckpointError);
    expect(run).toThrow(`unet/config.json: ${message}`);
  });
});
