import { CheckpointError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { type Layer, loraOf, normal, resultOf, type Values } from './support.js';

const key = 'lora_unet_mid_block_layer';
const [down, up] = [normal(4, 12), normal(24, 4)];
const layer: Layer = { name: 'mid_block.layer', weight: normal(24, 12) };
const x = normal(1, 3, 12);
const named = (tensors: Readonly<Record<string, Values>>) =>
  loraOf(Object.fromEntries(Object.entries(tensors).map(([slot, values]) => [`${key}.${slot}`, values])));

describe('missing halves are named', () => {
  test.each([
    [{ 'lora_down.weight': down }, `${key}.lora_up.weight`],
    [{ 'lora_up.weight': up }, `${key}.lora_down.weight`],
    [{ alpha: normal() }, `${key}.lora_down.weight`],
    [{ hada_w1_a: up, hada_w1_b: down, hada_w2_a: up }, `${key}.hada_w2_b`],
    [{ hada_t1: up, hada_w1_a: up, hada_w1_b: down, hada_w2_a: up, hada_w2_b: down }, `${key}.hada_t2`],
    [{ lokr_w1: up }, `${key}.lokr_w2_a`],
    [{ lokr_w1_a: up, lokr_w2: up }, `${key}.lokr_w1_b`],
  ] as const)('%#: %o', async (tensors, missing) => {
    const error = await named(tensors as Readonly<Record<string, Values>>).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'missing-tensor', tensor: missing });
    expect((error as Error).message).toContain(
      `style.safetensors: has no tensor ${missing}, which belongs to ${key}: `,
    );
  });

  test('in PEFT’s names', async () => {
    const opening = loraOf({ 'unet.mid_block.layer.lora_B.weight': up });
    await expect(opening).rejects.toMatchObject({ tensor: 'unet.mid_block.layer.lora_A.weight' });
  });
});

test.each([
  ['lora_unet_double_blocks_0_img_attn_proj.lora_down.weight', 'is for Flux, by its tensor'],
  ['transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight', 'is for Flux, by its tensor'],
  ['transformer.joint_transformer_blocks.0.attn.to_q.lora_A.weight', 'is for AuraFlow, by its tensor'],
  ['lora_prior_unet_down_blocks_0.lora_down.weight', 'is for Stable Cascade, by its tensor'],
  [
    'transformer.blocks.0.attn.to_q.lora_A.weight',
    'is for a model with a transformer in the U-Net’s place, by its tensor',
  ],
  [
    'diffusion_model.blocks.0.attn.lora_A.weight',
    'is for a model with a transformer in the U-Net’s place, by its tensor',
  ],
  ['base_model.model.mid_block.layer.oft_R.weight', 'uses OFT as PEFT writes it'],
  ['base_model.model.mid_block.layer.boft_R', 'uses BOFT as PEFT writes it'],
  ['base_model.model.mid_block.layer.ia3_l', 'uses IA3 as PEFT writes it'],
  ['base_model.model.mid_block.layer.vera_lambda_b', 'uses another method of PEFT'],
  [`${key}.lambda_layer`, 'its tensor lora_unet_mid_block_layer.lambda_layer uses T-LoRA'],
  [`${key}.set_weight`, 'uses replaced weights'],
])('what is not supported is named: %s', async (name, message) => {
  const opening = loraOf({ [name]: down });
  await expect(opening).rejects.toThrow(UnsupportedError);
  await expect(opening).rejects.toThrow(message);
});

test('a file with nothing of a LoRA is no LoRA', async () => {
  const opening = loraOf({ 'model.diffusion_model.input_blocks.0.0.weight': down });
  await expect(opening).rejects.toThrow(
    'style.safetensors: has no LoRA or related adapter for a U-Net, transformer or text encoder: its first tensor is model.diffusion_model.input_blocks.0.0.weight.',
  );
});

test('tensors of no module are listed', async () => {
  const lora = await loraOf({
    [`${key}.lora_down.weight`]: down,
    [`${key}.lora_up.weight`]: up,
    'emb.rose': normal(1, 4),
  });
  expect(lora.unusedTensors).toEqual(['emb.rose']);
});

test('two tensors for the same factor', async () => {
  const opening = loraOf({
    [`${key}.lora_down.weight`]: down,
    [`${key}.lora_up.weight`]: up,
    'unet.mid_block.layer.lora_A.weight': down,
  });
  await expect(opening).rejects.toThrow(
    'has two tensors for the same factor, the second being unet.mid_block.layer.lora_A.weight.',
  );
});

test('a factor without values', async () => {
  const opening = named({ 'lora_down.weight': normal(0, 12), 'lora_up.weight': normal(24, 0) });
  await expect(opening).rejects.toThrow(`style.safetensors: has the tensor ${key}.lora_down.weight without values.`);
});

describe('an adapter for another model', () => {
  test.each([
    ['lora_down.weight', { 'lora_down.weight': normal(4, 10), 'lora_up.weight': up }, '4, 10'],
    ['lora_up.weight', { 'lora_down.weight': down, 'lora_up.weight': normal(20, 4) }, '20, 4'],
    ['lora_up.weight', { 'lora_down.weight': down, 'lora_up.weight': normal(24, 3) }, '24, 3'],
    ['hada_w2_b', { hada_w1_a: up, hada_w1_b: down, hada_w2_a: up, hada_w2_b: normal(4, 10) }, '4, 10'],
    ['lokr_w1', { lokr_w1: normal(4, 5), lokr_w2: normal(6, 4) }, '4, 5'],
    ['lokr_w1', { lokr_w1: normal(3, 3), lokr_w2: normal(6, 4) }, '3, 3'],
    ['lokr_w2', { lokr_w1: normal(4, 3), lokr_w2: normal(6, 5) }, '6, 5'],
    ['lokr_w1_a', { lokr_w1_a: normal(4, 2), lokr_w1_b: normal(3, 3), lokr_w2: normal(6, 4) }, '4, 2'],
    ['dora_scale', { 'lora_down.weight': down, 'lora_up.weight': up, dora_scale: normal(20, 1) }, '20, 1'],
  ] as const)('is told by the first tensor that does not fit: %s', async (slot, tensors, shape) => {
    const lora = await named(tensors as Readonly<Record<string, Values>>);
    const error = await resultOf(layer, x, lora, 1).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'misshapen-tensor', tensor: `${key}.${slot}` });
    expect((error as Error).message).toBe(
      `style.safetensors: is for another model: its tensor ${key}.${slot} of shape [${shape}] does not fit the U-Net’s mid_block.layer, [24, 12].`,
    );
  });

  test.each([
    [768, {}, 'sd1', 'Stable Diffusion 1.'],
    [1024, {}, 'sd2', 'Stable Diffusion 2.'],
    [2048, {}, 'sdxl', 'SDXL.'],
    [1280, {}, 'sdxl-refiner', 'the SDXL refiner.'],
    [10, {}, undefined, 'a model whose text is 10 wide.'],
    [10, { ss_base_model_version: 'sdxl_base_v1-0' }, 'sdxl', 'SDXL.'],
    [10, { 'modelspec.architecture': 'stable-diffusion-v1/lora' }, 'sd1', 'Stable Diffusion 1.'],
  ] as const)(
    'whose family is known by its text’s width, %i, or its metadata',
    async (width, metadata, family, title) => {
      const module = 'lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k';
      const lora = await loraOf(
        { [`${module}.lora_down.weight`]: normal(4, width), [`${module}.lora_up.weight`]: up },
        metadata,
      );
      expect(lora.family).toBe(family);
      const own = { ...layer, name: 'mid_block.attentions.0.transformer_blocks.0.attn2.to_k' };
      await expect(resultOf(own, x, lora, 1)).rejects.toThrow(`The file is for ${title}`);
    },
  );

  test('or that matches nothing', async () => {
    const lora = await loraOf({
      [`${key}.lora_down.weight`]: down,
      [`${key}.lora_up.weight`]: up,
      'lora_unet_mid_block_idle.lora_down.weight': down,
      'lora_unet_mid_block_idle.lora_up.weight': up,
    });
    lora.check();
    await resultOf(layer, x, lora, 1);
    lora.check();
    expect(lora.unmatched()).toEqual(['lora_unet_mid_block_idle']);
    await resultOf({ ...layer, name: 'mid_block.other' }, x, lora, 1);
    expect(() => lora.check()).toThrow(
      `style.safetensors: changes nothing: the U-Net has none of its 2 modules, of which the first is ${key}.`,
    );
  });
});

test('tensors of two algorithms for one module', async () => {
  const opening = named({
    'lora_down.weight': down,
    'lora_up.weight': up,
    lokr_w1: normal(4, 3),
    lokr_w2: normal(6, 4),
  });
  await expect(opening).rejects.toThrow(
    `style.safetensors: has tensors of two algorithms for ${key}: ${key}.lora_up.weight and ${key}.lokr_w2.`,
  );
});

test('magnitudes of an algorithm that has none', async () => {
  const opening = named({ oft_blocks: normal(6, 4, 4), dora_scale: normal(24, 1) });
  await expect(opening).rejects.toThrow(UnsupportedError);
  await expect(opening).rejects.toThrow(`its tensor ${key}.dora_scale is a magnitude of DoRA with OFT`);
});

test.each([
  ['oft_blocks', { oft_blocks: normal(5, 4, 4) }],
  ['oft_blocks', { oft_blocks: normal(6, 4, 3) }],
  ['oft_blocks', { oft_blocks: normal(3, 8, 3, 3) }],
  ['rescale', { oft_blocks: normal(6, 4, 4), rescale: normal(20, 1) }],
  ['a2.weight', { 'a1.weight': normal(12, 4), 'a2.weight': normal(4, 11), 'b1.weight': up, 'b2.weight': down }],
  ['weight', { weight: normal(13), on_input: { shape: [], data: Float32Array.of(1) } }],
  ['diff', { diff: normal(24, 11) }],
  ['diff_b', { diff_b: normal(23) }],
  ['w_norm', { w_norm: normal(24) }],
  ['dora_scale', { 'lora_down.weight': down, 'lora_up.weight': up, dora_scale: normal(2, 12) }],
] as const)('what does not fit a layer is named: %s', async (slot, tensors) => {
  const lora = await named(tensors as Readonly<Record<string, Values>>);
  await expect(resultOf(layer, x, lora, 1)).rejects.toMatchObject({
    code: 'misshapen-tensor',
    tensor: `${key}.${slot}`,
  });
});

test('a whole weight beside changes is not used', async () => {
  const lora = await named({ 'lora_down.weight': down, 'lora_up.weight': up });
  expect(lora.unusedTensors).toEqual([]);
  const other = await loraOf({
    [`${key}.lora_down.weight`]: down,
    [`${key}.lora_up.weight`]: up,
    'lora_unet_mid_block_other.weight': normal(24),
  });
  expect(other.unusedTensors).toEqual(['lora_unet_mid_block_other.weight']);
});

test('a motion LoRA without a motion adapter', async () => {
  const module =
    'down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.1.processor.to_k';
  const lora = await loraOf({ [`${module}_lora.down.weight`]: down, [`${module}_lora.up.weight`]: up });
  expect(lora.family).toBeUndefined();
  await resultOf(layer, x, lora, 1);
  expect(() => lora.check()).toThrow(/It is for AnimateDiff’s motion modules: attach a motion adapter first\.$/);
});
