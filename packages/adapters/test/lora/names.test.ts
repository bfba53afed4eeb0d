import { expect, test } from 'vitest';
import type { Lora } from '../../src/index.js';
import { type Layer, loraOf, normal, resultOf, type Values } from './support.js';

const attention = 'mid_block.attentions.0.transformer_blocks.0.attn1';
const query: Layer = { name: `${attention}.to_q`, weight: normal(8, 6) };
const out: Layer = { ...query, name: `${attention}.to_out.0` };
const [down, up] = [normal(4, 6), normal(8, 4)];
const x = normal(1, 3, 6);
const number = (value: number): Values => ({ shape: [], data: Float32Array.of(value) });

async function given(layer: Layer, lora: Lora): Promise<Float32Array> {
  const data = await resultOf(layer, x, lora, 0.8);
  expect(lora.unmatched()).toEqual([]);
  return data;
}

const plainQuery = given(
  query,
  await loraOf({
    'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight': down,
    'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.weight': up,
  }),
);

const flat = attention.replaceAll('.', '_');
test.each([
  [
    'PEFT’s, with the adapter’s name',
    `unet.${attention}.to_q.lora_A.default.weight`,
    `unet.${attention}.to_q.lora_B.default.weight`,
  ],
  [
    'PEFT’s own file',
    `base_model.model.${attention}.to_q.lora_A.weight`,
    `base_model.model.${attention}.to_q.lora_B.weight`,
  ],
  ['diffusers’, between', `unet.${attention}.to_q.lora.down.weight`, `unet.${attention}.to_q.lora.up.weight`],
  [
    'diffusers’, of attention processors',
    `unet.${attention}.processor.to_q_lora.down.weight`,
    `unet.${attention}.processor.to_q_lora.up.weight`,
  ],
  [
    'diffusers’ first, without a prefix',
    `${attention}.processor.to_q_lora.down.weight`,
    `${attention}.processor.to_q_lora.up.weight`,
  ],
  ['kohya’s', `lora_unet_${flat}_to_q.lora_down.weight`, `lora_unet_${flat}_to_q.lora_up.weight`],
  ['LyCORIS’s', `lycoris_unet_${flat}_to_q.lora_down.weight`, `lycoris_unet_${flat}_to_q.lora_up.weight`],
  [
    'kohya’s, of the original’s modules',
    'lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_down.weight',
    'lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_up.weight',
  ],
  [
    'ComfyUI’s',
    'diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.lora_down.weight',
    'diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.lora_up.weight',
  ],
])('names: %s', async (_, downName, upName) => {
  const lora = await loraOf({ [downName]: down, [upName]: up });
  expect(await given(query, lora)).toEqual(await plainQuery);
});

test.each([
  ['PEFT', `unet.${attention}.to_out.0.lora_A.weight`, `unet.${attention}.to_out.0.lora_B.weight`],
  [
    'attention processors',
    `unet.${attention}.processor.to_out_lora.down.weight`,
    `unet.${attention}.processor.to_out_lora.up.weight`,
  ],
  ['kohya', `lora_unet_${flat}_to_out_0.lora_down.weight`, `lora_unet_${flat}_to_out_0.lora_up.weight`],
])('an attention’s last layer: %s', async (_, downName, upName) => {
  expect(await given(out, await loraOf({ [downName]: down, [upName]: up }))).toEqual(
    await given(
      { ...out, name: query.name },
      await loraOf({ [`unet.${query.name}.lora_A.weight`]: down, [`unet.${query.name}.lora_B.weight`]: up }),
    ),
  );
});

test.each([
  ['text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight', 'text_encoder'],
  ['text_encoder.encoder.layers.0.self_attn.q_proj.lora_A.weight', 'text_encoder'],
  ['text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight', 'text_encoder_2'],
  ['text_encoder.text_model.encoder.layers.0.self_attn.to_q_lora.down.weight', 'text_encoder'],
  ['text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.down.weight', 'text_encoder'],
  ['lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight', 'text_encoder'],
  ['lora_te1_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight', 'text_encoder'],
  ['lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight', 'text_encoder_2'],
  ['text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight', 'text_encoder'],
  ['text_encoder_3.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight', 'text_encoder_3'],
  ['lora_te3_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight', 'text_encoder_3'],
] as const)('of a text encoder: %s', async (name, component) => {
  const lora = await loraOf({ [name]: down, [name.replace('lora_A', 'lora_B').replace('down', 'up')]: up });
  expect(Object.keys(lora.extensions)).toEqual([component]);
  const layer: Layer = { ...query, name: 'encoder.layers.0.self_attn.q_proj' };
  const data = await given(layer, { ...lora, extensions: { unet: lora.extensions[component] } });
  expect(data).toEqual(await plainQuery);
});

test.each([
  'transformer.transformer_blocks.0.attn.to_q.lora_A.weight',
  'lora_transformer_transformer_blocks_0_attn_to_q.lora_down.weight',
])('of a transformer: %s', async (name) => {
  const lora = await loraOf({ [name]: down, [name.replace('lora_A', 'lora_B').replace('down', 'up')]: up });
  expect(Object.keys(lora.extensions)).toEqual(['transformer']);
  const layer: Layer = { ...query, name: 'transformer_blocks.0.attn.to_q' };
  const data = await given(layer, { ...lora, extensions: { unet: lora.extensions.transformer } });
  expect(data).toEqual(await plainQuery);
  expect(() => lora.expectComponents(['unet', 'text_encoder'])).toThrow(
    /is for a transformer, which this model does not have\.$/,
  );
});

/** The same change by a scale in place of alpha over rank. */
const scaledBy = async (scale: number) =>
  given(
    query,
    await loraOf({
      [`unet.${query.name}.lora_A.weight`]: down,
      [`unet.${query.name}.lora_B.weight`]: { ...up, data: up.data.map((value) => value * scale) },
    }),
  );

const closeTo = (got: Float32Array, want: Float32Array) => {
  for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 5);
};

test.each(['lora_unet_', 'unet.'])('alpha over the rank as a tensor: %s', async (prefix) => {
  const module = prefix === 'unet.' ? query.name : query.name.replaceAll('.', '_');
  const [a, b] = prefix === 'unet.' ? ['lora_A', 'lora_B'] : ['lora_down', 'lora_up'];
  const lora = await loraOf({
    [`${prefix}${module}.${a}.weight`]: down,
    [`${prefix}${module}.${b}.weight`]: up,
    [`${prefix}${module}.alpha`]: number(6),
  });
  closeTo(await given(query, lora), await scaledBy(1.5));
});

test.each([
  ['one for all', { 'unet.lora_alpha': 2 }, 0.5],
  ['one for some', { 'unet.lora_alpha': 2, 'unet.alpha_pattern': { 'attn1.to_q': 6 } }, 1.5],
  ['by the root of the rank', { 'unet.lora_alpha': 2, 'unet.use_rslora': true }, 1],
  ['of another model', { 'text_encoder.lora_alpha': 2 }, 1],
  ['nonsense', { 'unet.lora_alpha': 'much', 'unet.alpha_pattern': 3 }, 1],
])('alpha in diffusers’ metadata: %s', async (_, config, scale) => {
  const lora = await loraOf(
    { [`unet.${query.name}.lora_A.weight`]: down, [`unet.${query.name}.lora_B.weight`]: up },
    { lora_adapter_metadata: JSON.stringify(config) },
  );
  closeTo(await given(query, lora), await scaledBy(scale));
});

test('metadata that is no JSON says nothing', async () => {
  const lora = await loraOf(
    { [`unet.${query.name}.lora_A.weight`]: down, [`unet.${query.name}.lora_B.weight`]: up },
    { lora_adapter_metadata: '{' },
  );
  expect(await given(query, lora)).toEqual(await plainQuery);
});
