import { describe, expect, test } from 'vitest';
import type { Lora } from '../../src/index.js';
import { originalModules } from '../../src/lora/original-names.js';
import { type Layer, loraOf, normal, normalizedOf, resultOf, resultsOf, type Values } from './support.js';

/** How a trainer names the two factors and alpha of a module. */
type Names = (module: string) => { readonly down: string; readonly up: string; readonly alpha?: string };

const flat = (module: string) => module.replaceAll('.', '_');
const byKohya =
  (prefix: string, name = flat): Names =>
  (module) => ({
    down: `${prefix}${name(module)}.lora_down.weight`,
    up: `${prefix}${name(module)}.lora_up.weight`,
    alpha: `${prefix}${name(module)}.alpha`,
  });
const byPeft =
  (prefix: string, adapter = ''): Names =>
  (module) => ({
    down: `${prefix}${module}.lora_A${adapter}.weight`,
    up: `${prefix}${module}.lora_B${adapter}.weight`,
  });
const between =
  (prefix: string, infix: string): Names =>
  (module) => ({
    down: `${prefix}${module}${infix}.down.weight`,
    up: `${prefix}${module}${infix}.up.weight`,
  });

/** A module of the U-Net, by diffusers' name and by the original code's. */
const modules: readonly (readonly [string, string, Values])[] = [
  ['down_blocks.0.attentions.0.proj_in', 'input_blocks.1.1.proj_in', normal(8, 6)],
  [
    'down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q',
    'input_blocks.1.1.transformer_blocks.0.attn1.to_q',
    normal(8, 6),
  ],
  [
    'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0',
    'input_blocks.1.1.transformer_blocks.0.attn2.to_out.0',
    normal(8, 6),
  ],
  [
    'down_blocks.0.attentions.0.transformer_blocks.0.ff.net.0.proj',
    'input_blocks.1.1.transformer_blocks.0.ff.net.0.proj',
    normal(8, 6),
  ],
  ['down_blocks.0.resnets.0.conv1', 'input_blocks.1.0.in_layers.2', normal(8, 6, 3, 3)],
  ['down_blocks.0.resnets.0.time_emb_proj', 'input_blocks.1.0.emb_layers.1', normal(8, 6)],
  ['down_blocks.0.resnets.0.conv2', 'input_blocks.1.0.out_layers.3', normal(8, 6, 3, 3)],
  ['down_blocks.0.resnets.0.conv_shortcut', 'input_blocks.1.0.skip_connection', normal(8, 6, 1, 1)],
  ['down_blocks.0.downsamplers.0.conv', 'input_blocks.2.0.op', normal(8, 6, 3, 3)],
  [
    'mid_block.attentions.0.transformer_blocks.0.attn2.to_v',
    'middle_block.1.transformer_blocks.0.attn2.to_v',
    normal(8, 6),
  ],
  ['mid_block.resnets.1.conv1', 'middle_block.2.in_layers.2', normal(8, 6, 3, 3)],
  ['up_blocks.0.resnets.0.conv1', 'output_blocks.0.0.in_layers.2', normal(8, 6, 3, 3)],
  ['up_blocks.0.attentions.0.proj_out', 'output_blocks.0.1.proj_out', normal(8, 6)],
  ['conv_in', 'input_blocks.0.0', normal(8, 6, 3, 3)],
  ['conv_out', 'out.2', normal(8, 6, 3, 3)],
  ['time_embedding.linear_1', 'time_embed.0', normal(8, 6)],
  ['time_embedding.linear_2', 'time_embed.2', normal(8, 6)],
  ['add_embedding.linear_1', 'label_emb.0.0', normal(8, 6)],
  ['add_embedding.linear_2', 'label_emb.0.2', normal(8, 6)],
];

const byDiffusersModules: Readonly<Record<string, Names>> = {
  'PEFT’s file': byPeft('base_model.model.'),
  'PEFT’s, with the adapter’s name': byPeft('base_model.model.', '.default'),
  'PEFT’s of a pipeline': byPeft('base_model.model.unet.'),
  'diffusers’': byPeft('unet.'),
  'diffusers’, with the adapter’s name': byPeft('unet.', '.default_0'),
  'diffusers’, between': between('unet.', '.lora'),
  'diffusers’, linear layers': between('unet.', '.lora_linear_layer'),
  'without a prefix': byPeft(''),
  'kohya’s': byKohya('lora_unet_'),
  'LyCORIS’s': byKohya('lycoris_unet_'),
  'SimpleTuner’s': byKohya('lycoris_'),
  'OneTrainer’s, with dots': byKohya('lora_unet.', (module) => module),
  'ComfyUI’s, of diffusers’ modules': byKohya('diffusion_model.', (module) => module),
};
const byOriginalModules: Readonly<Record<string, Names>> = {
  'kohya’s, of the original’s modules': byKohya('lora_unet_'),
  'LyCORIS’s, of the original’s modules': byKohya('lycoris_'),
  'OneTrainer’s, of the original’s modules': byKohya('unet.', (module) => module),
  'ComfyUI’s': byKohya('diffusion_model.', (module) => module),
  'ComfyUI’s, with the checkpoint’s prefix': byKohya('model.diffusion_model.', (module) => module),
};

const factors = ([out, channels, ...kernel]: readonly number[]) => ({
  down: normal(4, channels, ...kernel),
  up: normal(out, 4, ...kernel.map(() => 1)),
});
const inputOf = ({ shape }: Values) => (shape.length === 4 ? normal(1, shape[1], 5, 3) : normal(1, 3, shape[1]));

async function fileBy(names: Names, module: string, { down, up }: ReturnType<typeof factors>): Promise<Lora> {
  const { alpha, ...written } = names(module);
  return loraOf({
    [written.down]: down,
    [written.up]: up,
    ...(alpha && { [alpha]: { shape: [], data: Float32Array.of(4) } }),
  });
}

async function given(lora: Lora, layer: Layer, x: Values, component = 'unet'): Promise<Float32Array> {
  expect(Object.keys(lora.extensions)).toEqual([component]);
  expect(lora.unusedTensors).toEqual([]);
  const extension = lora.extensions[component as 'unet'];
  const result = await resultOf(layer, x, { ...lora, extensions: { unet: extension } }, 0.7);
  expect(lora.unmatched()).toEqual([]);
  return result;
}

const weights = Object.fromEntries(modules.map(([name, , weight]) => [name, factors(weight.shape)]));

/** A file with all modules by a trainer's names; `original` for those of the original code. */
async function wholeFileBy(names: Names, original = false): Promise<Lora> {
  const tensors = modules.flatMap(([name, originalName]): [string, Values][] => {
    const { down, up, alpha } = names(original ? originalName : name);
    const factorsOf = weights[name];
    return [
      [down, factorsOf.down],
      [up, factorsOf.up],
      ...(alpha === undefined ? [] : ([[alpha, { shape: [], data: Float32Array.of(4) }]] as [string, Values][])),
    ];
  });
  return loraOf(Object.fromEntries(tensors));
}

const layers = modules.map(([name, , weight]) => ({ name, weight }));
const inputs = { linear: normal(1, 3, 6), conv: normal(1, 6, 5, 3) };
const wanted = wholeFileBy(byPeft('unet.')).then((lora) => resultsOf(layers, inputs, lora, 0.7));

test.each([
  ...Object.entries(byDiffusersModules).map(([trainer, names]) => ({ trainer, names, original: false })),
  ...Object.entries(byOriginalModules).map(([trainer, names]) => ({ trainer, names, original: true })),
])('$trainer names', async ({ names, original }) => {
  const lora = await wholeFileBy(names, original);
  expect(Object.keys(lora.extensions)).toEqual(['unet']);
  expect(lora.unusedTensors).toEqual([]);
  expect(await resultsOf(layers, inputs, lora, 0.7)).toEqual(await wanted);
  expect(lora.unmatched()).toEqual([]);
});

test('each module is changed', async () => {
  const [changed, plain] = [await wanted, await resultsOf(layers, inputs)];
  for (const { name } of layers) expect(changed[name]).not.toEqual(plain[name]);
});

test.each([
  ['to_q', 'q'],
  ['to_k', 'k'],
  ['to_v', 'v'],
  ['to_out.0', 'out'],
])('diffusers’ attention processors: %s', async (inner, short) => {
  const weight = normal(8, 6);
  const at = 'mid_block.attentions.0.transformer_blocks.0.attn1';
  const [layer, x, values] = [{ name: `${at}.${inner}`, weight }, inputOf(weight), factors(weight.shape)];
  const want = await given(await fileBy(byPeft('unet.'), layer.name, values), layer, x);
  for (const prefix of ['unet.', '']) {
    const lora = await fileBy(between(`${prefix}${at}.processor.to_`, '_lora'), short, values);
    expect(await given(lora, layer, x)).toEqual(want);
  }
});

test.each([
  ['attn1.to_q', 'attention_blocks.0.processor.to_q'],
  ['attn2.to_out.0', 'attention_blocks.1.processor.to_out'],
])('AnimateDiff’s motion LoRA: %s', async (inner, original) => {
  const weight = normal(8, 6);
  const at = 'down_blocks.0.motion_modules.1';
  const layer = { name: `${at}.transformer_blocks.0.${inner}`, weight };
  const [x, values] = [inputOf(weight), factors(weight.shape)];
  const want = await given(await fileBy(byPeft('unet.'), layer.name, values), layer, x);
  for (const prefix of [`${at}.`, `module.${at}.`]) {
    const names = between(`${prefix}temporal_transformer.transformer_blocks.0.`, '_lora');
    expect(await given(await fileBy(names, original, values), layer, x)).toEqual(want);
  }
  const converted = between(`unet.${at}.transformer_blocks.0.`, '_lora');
  const short = inner.replace('.to_', '.processor.to_').replace(/\.0$/, '');
  expect(await given(await fileBy(converted, short, values), layer, x)).toEqual(want);
});

describe('text encoders', () => {
  const layer: Layer = { name: 'encoder.layers.0.mlp.fc1', weight: normal(8, 6) };
  const [x, values] = [inputOf(layer.weight), factors(layer.weight.shape)];
  const dotted = (module: string) => module;

  test.each<[string, string, Names]>([
    ['diffusers', 'text_encoder', byPeft('text_encoder.text_model.')],
    ['diffusers', 'text_encoder_2', byPeft('text_encoder_2.text_model.')],
    ['diffusers, between', 'text_encoder', between('text_encoder.text_model.', '.lora_linear_layer')],
    ['PEFT', 'text_encoder', byPeft('base_model.model.text_model.')],
    ['PEFT, a pipeline', 'text_encoder_2', byPeft('base_model.model.text_encoder_2.text_model.')],
    ['kohya, SD 1', 'text_encoder', byKohya('lora_te_text_model_')],
    ['kohya, SDXL', 'text_encoder', byKohya('lora_te1_text_model_')],
    ['kohya, SDXL', 'text_encoder_2', byKohya('lora_te2_text_model_')],
    ['LyCORIS', 'text_encoder', byKohya('lycoris_te_text_model_')],
    ['SimpleTuner', 'text_encoder', byKohya('lycoris_text_model_')],
    ['OneTrainer, dots', 'text_encoder', byKohya('lora_te.text_model.', dotted)],
    ['OneTrainer, dots', 'text_encoder', byKohya('lora_te1.text_model.', dotted)],
    ['OneTrainer, dots', 'text_encoder_2', byKohya('lora_te2.text_model.', dotted)],
    ['OneTrainer, short', 'text_encoder', byKohya('clip_l.text_model.', dotted)],
    ['OneTrainer, short', 'text_encoder_2', byKohya('clip_g.text_model.', dotted)],
    ['ComfyUI', 'text_encoder', byKohya('text_encoders.clip_l.transformer.text_model.', dotted)],
    ['ComfyUI, SD 2', 'text_encoder', byKohya('text_encoders.clip_h.transformer.text_model.', dotted)],
    ['ComfyUI', 'text_encoder_2', byKohya('text_encoders.clip_g.transformer.text_model.', dotted)],
    ['ComfyUI, alone', 'text_encoder_2', byKohya('clip_g.transformer.text_model.', dotted)],
    ['kohya, T5', 'text_encoder_3', byKohya('lora_te3_')],
    ['OneTrainer, T5', 'text_encoder_3', byKohya('t5.', dotted)],
    ['ComfyUI, T5', 'text_encoder_3', byKohya('text_encoders.t5xxl.transformer.', dotted)],
  ])('%s: %s', async (_, component, names) => {
    const want = await given(
      await fileBy(byPeft('unet.'), 'mid_block.fc1', values),
      { ...layer, name: 'mid_block.fc1' },
      x,
    );
    expect(await given(await fileBy(names, layer.name, values), layer, x, component)).toEqual(want);
  });

  test.each(['lora_te2_', 'text_encoder_2.', 'text_encoders.clip_g.transformer.'])('projection: %s', async (prefix) => {
    const projection = { ...layer, name: 'text_projection' };
    const lora = await fileBy(byKohya(prefix), projection.name, values);
    expect((await given(lora, projection, x, 'text_encoder_2')).length).toBe(24);
  });
});

test.each<[string, Names]>([
  ['diffusers', byPeft('transformer.')],
  ['PEFT', byPeft('base_model.model.')],
  ['OneTrainer', byKohya('lora_transformer_')],
  ['SimpleTuner', byKohya('lycoris_')],
])('Stable Diffusion 3: %s', async (_, names) => {
  for (const name of [
    'transformer_blocks.0.attn.add_q_proj',
    'transformer_blocks.0.norm1.linear',
    'context_embedder',
    'proj_out',
  ]) {
    const layer: Layer = { name, weight: normal(8, 6) };
    const [x, values] = [inputOf(layer.weight), factors(layer.weight.shape)];
    const want = await given(
      await fileBy(byPeft('unet.'), 'mid_block.a', values),
      { ...layer, name: 'mid_block.a' },
      x,
    );
    expect(await given(await fileBy(names, name, values), layer, x, 'transformer'), name).toEqual(want);
  }
});

describe('Stable Diffusion 3’s original names', () => {
  const block = 'transformer_blocks.3';
  const rowsOfTensor = ({ shape, data }: Values, start: number, end: number): Values => ({
    shape: [end - start, ...shape.slice(1)],
    data: data.slice(start * shape[1], end * shape[1]),
  });
  const prefixes: readonly Names[] = [
    byKohya('lora_unet_'),
    byKohya('lora_transformer_'),
    byKohya('lycoris_'),
    byKohya('diffusion_model.', (module) => module),
    byPeft('transformer.'),
  ];

  test.each([
    ['attn.to_q', 'x_block.attn.qkv', 0, 3],
    ['attn.to_k', 'x_block.attn.qkv', 1, 3],
    ['attn2.to_v', 'x_block.attn2.qkv', 2, 3],
    ['attn.add_k_proj', 'context_block.attn.qkv', 1, 3],
    ['attn.to_out.0', 'x_block.attn.proj', 0, 1],
    ['attn.to_add_out', 'context_block.attn.proj', 0, 1],
    ['ff.net.0.proj', 'x_block.mlp.fc1', 0, 1],
    ['ff_context.net.2', 'context_block.mlp.fc2', 0, 1],
    ['norm1.linear', 'x_block.adaLN_modulation.1', 0, 1],
    ['norm1_context.linear.scale', 'context_block.adaLN_modulation.1', 1, 2],
    ['norm1_context.linear.shift', 'context_block.adaLN_modulation.1', 0, 2],
  ] as const)('%s', async (inner, original, index, count) => {
    const layer: Layer = { name: `${block}.${inner}`, weight: normal(8, 6) };
    const [x, fused] = [inputOf(layer.weight), factors([8 * count, 6])];
    const own = { down: fused.down, up: rowsOfTensor(fused.up, 8 * index, 8 * (index + 1)) };
    const want = await given(await fileBy(byPeft('unet.'), 'mid_block.a', own), { ...layer, name: 'mid_block.a' }, x);
    for (const names of prefixes) {
      const lora = await fileBy(names, `joint_blocks.3.${original}`, fused);
      expect(await given(lora, layer, x, 'transformer')).toEqual(want);
    }
  });

  test('the last norm’s halves are the other way around', async () => {
    const layer: Layer = { name: 'norm_out.linear', weight: normal(16, 6), parts: [8, 8] };
    const [x, fused] = [inputOf(layer.weight), factors([16, 6])];
    const [shift, scale] = [rowsOfTensor(fused.up, 0, 8), rowsOfTensor(fused.up, 8, 16)];
    const up: Values = { shape: [16, 4], data: Float32Array.of(...scale.data, ...shift.data) };
    const want = await given(
      await fileBy(byPeft('transformer.'), layer.name, { ...fused, up }),
      layer,
      x,
      'transformer',
    );
    const original = await fileBy(byKohya('lora_unet_'), 'final_layer.adaLN_modulation.1', fused);
    expect(await given(original, layer, x, 'transformer')).toEqual(want);
  });

  test('an algorithm that mixes rows is refused by name', async () => {
    const module = 'lora_unet_joint_blocks_3_x_block_attn_qkv';
    const lora = await loraOf({ [`${module}.oft_blocks`]: normal(6, 4, 4) });
    const layer: Layer = { name: `${block}.attn.to_q`, weight: normal(8, 6) };
    await expect(given(lora, layer, inputOf(layer.weight), 'transformer')).rejects.toThrow(
      `its tensor ${module}.oft_blocks is for several layers in one module`,
    );
  });
});

describe('norms', () => {
  const norm = (name: string) => ({ name, weight: normal(6), bias: normal(6), groups: 3 });
  const [w, b, x] = [normal(6), normal(6), normal(1, 6, 4, 3)];

  test.each([
    ['down_blocks.0.resnets.0.norm1', 'input_blocks.1.0.in_layers.0'],
    ['down_blocks.0.resnets.0.norm2', 'input_blocks.1.0.out_layers.0'],
    ['down_blocks.0.attentions.0.norm', 'input_blocks.1.1.norm'],
    ['mid_block.attentions.0.transformer_blocks.0.norm3', 'middle_block.1.transformer_blocks.0.norm3'],
    ['conv_norm_out', 'out.0'],
  ])('%s', async (name, original) => {
    const place = norm(name);
    const want = await normalizedOf({ ...place, weight: plus(place.weight, w), bias: plus(place.bias, b) }, x);
    for (const [weight, bias] of [
      [`lora_unet_${flat(name)}.w_norm`, `lora_unet_${flat(name)}.b_norm`],
      [`lycoris_${flat(original)}.w_norm`, `lycoris_${flat(original)}.b_norm`],
      [`diffusion_model.${original}.diff`, `diffusion_model.${original}.diff_b`],
      [`diffusion_model.${original}.weight.diff`, `diffusion_model.${original}.bias.diff`],
    ]) {
      const lora = await loraOf({ [weight]: w, [bias]: b });
      const got = await normalizedOf(place, x, lora, 1);
      for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 5);
      expect(lora.unmatched()).toEqual([]);
    }
  });
});

const plus = (a: Values, b: Values): Values => ({ ...a, data: a.data.map((value, i) => value + b.data[i]) });

test('the original’s names follow the order of the graph', () => {
  const original = originalModules();
  expect(original('down_blocks.0.resnets.0.norm1'.replaceAll('.', '_'))).toEqual(['input_blocks_1_0_in_layers_0']);
  expect(original('down_blocks_0_resnets_0_conv1')).toEqual(['input_blocks_1_0_in_layers_2']);
  expect(original('down_blocks_0_resnets_1_norm2')).toEqual(['input_blocks_2_0_out_layers_0']);
});
