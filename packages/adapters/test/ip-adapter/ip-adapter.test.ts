import { openFolder } from '@sd/backend-node';
import { CheckpointError, row, type Tensor, TensorError, tensor } from '@sd/core';
import { type ModelCall, singleCall } from '@sd/guidance';
import { loadUnet, unetConfig } from '@sd/unet';
import { Config, openWeights } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { imagePromptCondition, loadIpAdapter } from '../../src/index.js';
import { crossAttentions } from '../../src/ip-adapter/cross-attentions.js';
import { families } from '../families.js';
import { backend, encoderSaying, sourceOf, zeros } from './support.js';

const folder = fixture('adapters/ip-adapter');
const model = fixture('models/sd1');
const golden = readGolden('golden.safetensors', folder);
const text = row(readGolden('golden.safetensors', model)('text.last_hidden_state'), 0);
const pixels = golden('ip.pixel_values');
const encoder = encoderSaying(row(golden('ip.image_embeds'), 0));

async function opened(names: readonly string[]) {
  const plain = await loadUnet({ source: await openFolder(model), backend });
  const file = await openWeights(await openFolder(folder), 'ip-adapter.safetensors');
  const open = (name: string) => loadIpAdapter({ name, file, backend, unet: plain.config, families });
  const adapters = await Promise.all(names.map(open));
  return { plain, adapters, unet: plain.withExtensions(adapters.map(({ extension }) => extension)) };
}

const sample = golden('unet.sample');
const input = { sample, timestep: 500, context: batchOf(text) };

function batchOf({ dims, data }: Tensor<'float32'>): Tensor<'float32'> {
  return tensor('float32', [1, ...dims], data);
}

const one = (value: number) => tensor('float32', [1], Float32Array.of(value));

describe('an IP-Adapter', () => {
  test('gives the U-Net output of diffusers', async () => {
    const { adapters, unet } = await opened(['style']);
    const { positive } = await adapters[0].prompt(encoder, pixels);
    expect(positive.dims).toEqual([4, 32]);
    const conditions = { 'image_tokens.style': batchOf(positive), 'strength.style': one(0.6) };
    const { data } = await unet.predict({ ...input, conditions });
    await unet.dispose?.();
    expect(unet.unusedTensors).toEqual([]);
    expect(stageError('ip-adapter', data, golden('unet.out.t500').data)).toBeLessThan(1e-5);
  });

  test('that nothing is fed to, or at strength 0, changes nothing', async () => {
    const { plain, adapters, unet } = await opened(['style']);
    const { positive } = await adapters[0].prompt(encoder, pixels);
    const want = await plain.predict(input);
    await plain.dispose?.();
    expect((await unet.predict(input)).data).toEqual(want.data);
    const conditions = { 'image_tokens.style': batchOf(positive), 'strength.style': one(0) };
    expect((await unet.predict({ ...input, conditions })).data).toEqual(want.data);
    await unet.dispose?.();
  });

  test('twice at half the strength, or of one picture twice, is as once', async () => {
    const { adapters, unet } = await opened(['style', 'face']);
    const { positive } = await adapters[0].prompt(encoder, pixels);
    const tokens = batchOf(positive);
    const both = {
      'image_tokens.style': tokens,
      'strength.style': one(0.4),
      'image_tokens.face': tokens,
      'strength.face': one(0.2),
    };
    const want = golden('unet.out.t500').data;
    expect(relativeError((await unet.predict({ ...input, conditions: both })).data, want)).toBeLessThan(1e-5);

    const twice = await adapters[1].prompt(encoder, tensor('float32', [2, 3, 32, 32], twin(pixels.data)));
    expect(twice.positive.dims).toEqual([8, 32]);
    expect(twice.negative.dims).toEqual([8, 32]);
    const conditions = { 'image_tokens.face': batchOf(twice.positive), 'strength.face': one(0.6) };
    expect(relativeError((await unet.predict({ ...input, conditions })).data, want)).toBeLessThan(1e-5);
    await unet.dispose?.();
  });

  test('makes the negative prompt’s tokens of a zero embedding', async () => {
    const { adapters } = await opened(['style']);
    const { negative } = await adapters[0].prompt(encoder, pixels);
    const zero = await adapters[0].prompt(encoderSaying(tensor('float32', [24])), pixels);
    await adapters[0].dispose?.();
    expect(negative).toEqual(zero.positive);
    // A layer norm of the projection's bias: no zeros.
    expect(negative.data.some((value) => Math.abs(value) > 0.1)).toBe(true);
  });

  test('refuses an encoder of another width', async () => {
    const { adapters } = await opened(['style']);
    const wider = encoderSaying(tensor('float32', [32]));
    await expect(adapters[0].prompt(wider, pixels)).rejects.toBeInstanceOf(TensorError);
    await expect(adapters[0].prompt(wider, pixels)).rejects.toThrow(/plain IP-Adapter, must be float32 \[24\]/);
  });
});

describe('an IP-Adapter Plus', () => {
  const plus = readGolden('golden.safetensors', fixture('adapters/ip-adapter-plus'));
  const hidden = row(plus('ip.hidden_states'), 0);
  const nothing = row(plus('ip.negative_hidden_states'), 0);
  const said = (values: Tensor<'float32'>) => encoderSaying(tensor('float32', [1]), values, nothing);

  async function openedPlus() {
    const plain = await loadUnet({ source: await openFolder(model), backend });
    const adapter = await loadIpAdapter({
      name: 'style',
      file: await openWeights(await openFolder(fixture('adapters/ip-adapter-plus')), 'ip-adapter-plus.safetensors'),
      backend,
      unet: plain.config,
    });
    return { adapter, unet: plain.withExtensions([adapter.extension]) };
  }

  test('gives the tokens and the U-Net output of diffusers', async () => {
    const { adapter, unet } = await openedPlus();
    const { positive } = await adapter.prompt(said(hidden), pixels);
    expect(stageError('ip-adapter-plus', positive.data, plus('ip.tokens').data)).toBeLessThan(1e-5);
    const conditions = { 'image_tokens.style': batchOf(positive), 'strength.style': one(0.6) };
    const { data } = await unet.predict({ ...input, sample: plus('unet.sample'), conditions });
    await unet.dispose?.();
    expect(stageError('ip-adapter-plus', data, plus('unet.out.t500').data)).toBeLessThan(1e-5);
  });

  test('makes the negative prompt’s tokens of what the encoder sees in zeros', async () => {
    const { adapter } = await openedPlus();
    const { positive, negative } = await adapter.prompt(said(hidden), pixels);
    const seen = await adapter.prompt(said(nothing), pixels);
    await adapter.dispose?.();
    expect(negative).toEqual(seen.positive);
    expect(negative).not.toEqual(positive);
  });
});

test('imagePromptCondition gives the negative prompt its own tokens, and asks for the strength at each call', () => {
  const prompt = { positive: tensor('float32', [2, 3]), negative: tensor('float32', [2, 3]) };
  prompt.positive.data.fill(1);
  const [negative, positive] = [{ hidden: text }, { hidden: text }];
  const call: ModelCall = { ...input, sample, texts: [negative, positive], negative, progress: singleCall };
  const condition = imagePromptCondition('style', prompt, ({ timestep }) => timestep / 1000);
  expect(condition(call)).toEqual({
    'image_tokens.style': tensor('float32', [2, 2, 3], Float32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1)),
    'strength.style': one(0.5),
  });
});

describe('an adapter for another model', () => {
  const load = async (attentions: Readonly<Record<string, readonly number[]>>, width = 32) => {
    const projection = {
      'image_proj.proj.weight': [4 * width, 24],
      'image_proj.norm.weight': [width],
      'image_proj.norm.bias': [width],
    };
    const { config } = await loadUnet({ source: await openFolder(model), backend });
    const bytes = await zeros({ ...projection, ...attentions });
    return loadIpAdapter({
      name: 'a',
      file: await openWeights(sourceOf('a.safetensors', bytes), 'a.safetensors'),
      families,
      backend,
      unet: config,
    });
  };
  const pair = (number: number, shape: readonly number[]) => ({
    [`ip_adapter.${number}.to_k_ip.weight`]: shape,
    [`ip_adapter.${number}.to_v_ip.weight`]: shape,
  });
  const fitting = { ...pair(1, [32, 32]), ...pair(3, [32, 32]), ...pair(5, [32, 32]) };

  test.each([
    [
      'of another family',
      pair(1, [32, 768]),
      'ip_adapter.1.to_k_ip.weight',
      /\[32, 768\], but this U-Net asks for \[32, 32\]: it was made for a model whose text is 768 wide, as that of Stable Diffusion 1, and this one’s is 32\./,
    ],
    ['of other channels', { ...fitting, ...pair(7, [32, 32]) }, 'ip_adapter.7.to_k_ip.weight', /asks for \[64, 32\]/],
    ['of fewer attentions', fitting, undefined, /for 3 cross-attentions, but this U-Net has 4/],
    ['of more attentions', { ...fitting, ...pair(7, [64, 32]), ...pair(9, [64, 32]) }, undefined, /for 5 cross-att/],
  ])('%s is refused', async (_, attentions, name, message) => {
    const error = await load(attentions).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as CheckpointError).tensor).toBe(name);
    expect((error as Error).message).toMatch(message);
  });

  test('is refused where only its projection is', async () => {
    const error = await load({ ...fitting, ...pair(7, [64, 32]) }, 16).catch((e: unknown) => e);
    expect((error as Error).message).toMatch(/projection gives tokens of 16 values, but its attentions take 32/);
  });
});

test('attentions are numbered as the modules of diffusers: down, up, middle, each block by itself', () => {
  const config = {
    block_out_channels: [8, 16, 32],
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
    layers_per_block: 1,
    transformer_layers_per_block: [1, 2, 3],
    attention_head_dim: 4,
    norm_num_groups: 8,
  };
  const all = crossAttentions(unetConfig(new Config('unet/config.json', config)));
  const short = all.map(({ module, width }) => `${module.replace(/[^\d]+/g, ' ').trim()}: ${width}`);
  const block = (at: string, count: number, width: number) =>
    Array.from({ length: count }, (_, i) => `${at} ${i} 2: ${width}`);
  expect(short).toEqual([
    ...block('1 0', 2, 16),
    ...block('2 0', 3, 32),
    ...block('0 0', 3, 32),
    ...block('0 1', 3, 32),
    ...block('1 0', 2, 16),
    ...block('1 1', 2, 16),
    ...block('0', 3, 32),
  ]);
});

function twin(data: Float32Array): Float32Array {
  const out = new Float32Array(2 * data.length);
  out.set(data);
  out.set(data, data.length);
  return out;
}
