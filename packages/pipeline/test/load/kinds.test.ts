import { readFileSync } from 'node:fs';
import type { Source } from '@sd/core';
import { SdError, UnsupportedError } from '@sd/core';
import { openWeights, type TensorView } from '@sd/weights';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { memorySource } from '../../../weights/test/memory.js';
import { inspect, loadPipeline, type Pipeline } from '../../src/index.js';
import { findWeights } from '../../src/load/inspect/find.js';

type Shapes = Record<string, readonly number[]>;

/** Names and shapes that diffusers and transformers write, made by data/kinds/make_kinds.py. */
const saved: Record<string, object> = JSON.parse(
  readFileSync(new URL('../data/kinds/kinds.json', import.meta.url), 'utf8'),
);

function flat(node: object, path = ''): Shapes {
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, inner]) =>
      Array.isArray(inner) ? [[path + key, inner]] : Object.entries(flat(inner, `${path}${key}.`)),
    ),
  );
}

/** Tensors by name, of one shape. */
const named = (names: readonly string[], shape: readonly number[] = [4, 4]): Shapes =>
  Object.fromEntries(names.map((name) => [name, shape]));

/** A ControlNet's tensors by the names of its authors. */
const control = named([
  'zero_convs.0.0.weight',
  'input_hint_block.0.weight',
  'input_blocks.0.0.weight',
  'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight',
  'middle_block_out.0.weight',
]);
const prefixed = (prefix: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));
const ipKeys = named(['ip_adapter.1.to_k_ip.weight', 'ip_adapter.1.to_v_ip.weight'], [320, 768]);

/** Each file, and what it is: the kind of a supported one, or the title of one that is refused. */
const rows: readonly (readonly [
  file: string,
  shapes: Shapes,
  expected: { kind: string } | { title: string | RegExp },
])[] = [
  ...(
    [
      ['ControlNetModel', { kind: 'controlnet' }],
      ['ControlNetUnionModel', { title: /^a ControlNet Union/ }],
      ['SparseControlNetModel', { title: 'a SparseCtrl' }],
      ['SD3ControlNetModel', { title: 'a ControlNet of Stable Diffusion 3' }],
      ['FluxControlNetModel', { title: 'a ControlNet of Flux' }],
      ['HunyuanDiT2DControlNetModel', { title: 'a ControlNet for a model with a transformer' }],
      ['SanaControlNetModel', { title: 'a ControlNet for a model with a transformer' }],
      ['QwenImageControlNetModel', { title: 'a ControlNet for a model with a transformer' }],
      ['ControlNetXSAdapter', { title: 'a ControlNet-XS' }],
      ['UNetControlNetXSModel', { title: 'a ControlNet-XS' }],
      ['T2IAdapter', { kind: 't2i-adapter' }],
      ['T2IAdapter light_adapter', { kind: 't2i-adapter' }],
      ['T2IAdapter full_adapter_xl', { kind: 't2i-adapter' }],
      ['MotionAdapter', { kind: 'motion-adapter' }],
      ['UNetMotionModel', { title: 'AnimateDiff, with the U-Net in it' }],
      ['UNet3DConditionModel', { title: 'a text-to-video U-Net' }],
      ['UNetSpatioTemporalConditionModel', { title: 'Stable Video Diffusion' }],
      ['I2VGenXLUNet', { title: 'I2VGen-XL' }],
      ['UNet2DConditionModel gated', { title: 'a GLIGEN model' }],
      ['UNet2DConditionModel Kolors', { title: 'Kolors or DeepFloyd IF' }],
      ['UNet2DConditionModel IF', { title: 'Kolors or DeepFloyd IF' }],
      ['UNet2DConditionModel Kandinsky', { title: 'Kandinsky' }],
      ['FluxTransformer2DModel', { title: 'Flux' }],
      ['Flux2Transformer2DModel', { title: 'Flux 2' }],
      ['SD3Transformer2DModel', { kind: 'transformer' }],
      ['ChromaTransformer2DModel', { title: 'Chroma' }],
      ['PixArtTransformer2DModel', { title: 'PixArt or Sana' }],
      ['SanaTransformer2DModel', { title: 'PixArt or Sana' }],
      ['AuraFlowTransformer2DModel', { title: 'AuraFlow' }],
      ['HunyuanDiT2DModel', { title: 'Hunyuan-DiT' }],
      ['Lumina2Transformer2DModel', { title: 'Lumina or Z-Image' }],
      ['LuminaNextDiT2DModel', { title: 'Lumina or Z-Image' }],
      ['ZImageTransformer2DModel', { title: 'Lumina or Z-Image' }],
      ['QwenImageTransformer2DModel', { title: 'Qwen-Image' }],
      ['WanTransformer3DModel', { title: 'Wan' }],
      ['LTXVideoTransformer3DModel', { title: 'LTX-Video' }],
      ['MochiTransformer3DModel', { title: 'Mochi' }],
      ['HunyuanVideoTransformer3DModel', { title: 'HunyuanVideo' }],
      ['CogVideoXTransformer3DModel', { title: 'CogVideoX' }],
      ['CogView3PlusTransformer2DModel', { title: 'CogView' }],
      ['CogView4Transformer2DModel', { title: 'CogView' }],
      ['HiDreamImageTransformer2DModel', { title: 'HiDream' }],
      ['OmniGenTransformer2DModel', { title: 'OmniGen' }],
      ['StableAudioDiTModel', { title: /sound model/ }],
      ['CosmosTransformer3DModel', { title: 'Cosmos' }],
      ['DiTTransformer2DModel', { title: 'DiT' }],
      ['LatteTransformer3DModel', { title: 'Latte' }],
      ['Kandinsky3UNet', { title: 'Kandinsky' }],
      ['UVit2DModel', { title: 'aMUSEd' }],
      ['PriorTransformer', { title: 'an unCLIP prior' }],
      ['StableCascadeUNet', { title: 'Stable Cascade' }],
      ['AutoencoderKL', { kind: 'vae' }],
      ['AutoencoderTiny', { kind: 'vae' }],
      ['AsymmetricAutoencoderKL', { title: 'an asymmetric autoencoder' }],
      ['VQModel', { title: /VQ/ }],
      ['AutoencoderDC', { title: /DC-AE/ }],
      ['AutoencoderKLWan', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLQwenImage', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLCogVideoX', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLHunyuanVideo', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLLTXVideo', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLMochi', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLAllegro', { title: 'the autoencoder of a video model' }],
      ['AutoencoderKLTemporalDecoder', { title: 'the autoencoder of Stable Video Diffusion' }],
      ['AutoencoderOobleck', { title: 'an autoencoder of sound' }],
      ['ConsistencyDecoderVAE', { title: 'a consistency decoder' }],
      ['CLIPTextModelWithProjection', { kind: 'text-encoder' }],
      ['CLIPVisionModelWithProjection', { kind: 'image-encoder' }],
      ['T5EncoderModel', { title: 'a T5 text encoder' }],
      ['Gemma2Model', { title: 'a language model' }],
      ['LlamaModel', { title: 'a language model' }],
      ['Qwen2Model', { title: 'a language model' }],
      ['SiglipVisionModel', { title: 'a SigLIP image encoder' }],
      ['BertModel', { title: 'a BERT text encoder' }],
    ] as const
  ).map(([name, expected]) => [name, flat(saved[name] ?? {}), expected] as const),
  // By the names of their authors.
  ['ControlNet', control, { kind: 'controlnet' }],
  ['ControlNet, prefixed', prefixed('control_model.', control), { kind: 'controlnet' }],
  [
    'ControlNet with its model',
    { ...prefixed('control_model.', control), ...named(['model.diffusion_model.input_blocks.0.0.weight']) },
    { kind: 'controlnet' },
  ],
  ['ControlNet of differences', { ...prefixed('control_model.', control), difference: [] }, { kind: 'controlnet' }],
  ['Control-LoRA', { ...control, lora_controlnet: [0] }, { kind: 'control-lora' }],
  ['ControlNet Union', { ...control, task_embedding: [6, 320] }, { title: /^a ControlNet Union/ }],
  [
    'ControlNet ProMax',
    { ...control, ...named(['control_add_embedding.linear_1.weight']) },
    { title: /^a ControlNet Union/ },
  ],
  [
    'ControlNet-XS',
    prefixed('control_model.', { ...control, ...named(['enc_zero_convs_out.0.0.weight']) }),
    { title: 'a ControlNet-XS' },
  ],
  [
    'SparseCtrl',
    {
      ...named([
        'controlnet_cond_embedding.weight',
        'controlnet_down_blocks.0.weight',
        'down_blocks.0.motion_modules.0.temporal_transformer.norm.weight',
      ]),
    },
    { title: 'a SparseCtrl' },
  ],
  [
    'LLLite',
    named(['lllite_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.conditioning1.0.weight']),
    { title: 'a ControlNet-LLLite' },
  ],
  [
    'CtrLoRA',
    prefixed('control_model.', { ...control, ...named(['input_blocks.1.1.proj_in.lora_layer.down.weight']) }),
    { title: 'a CtrLoRA' },
  ],
  [
    'ControlNet of Flux, XLabs',
    named(['controlnet_blocks.0.weight', 'double_blocks.0.img_attn.qkv.weight', 'input_hint_block.0.weight']),
    { title: 'a ControlNet of Flux' },
  ],
  ['BrushNet', named(['brushnet_down_blocks.0.weight', 'conv_in_condition.weight']), { title: 'a BrushNet' }],
  ['T2I-Adapter', named(['conv_in.weight', 'body.0.block1.weight', 'body.2.in_conv.weight']), { kind: 't2i-adapter' }],
  [
    'T2I-Adapter, color',
    named(['body.0.in_conv.weight', 'body.0.body.0.block1.weight', 'body.0.out_conv.weight']),
    { kind: 't2i-adapter' },
  ],
  [
    'T2I-Adapter with convolutions',
    named(['conv_in.weight', 'body.0.block1.weight', 'body.2.down_opt.op.weight']),
    { title: 'a T2I-Adapter with convolutions between its stages' },
  ],
  [
    'T2I style adapter',
    named(['style_embedding', 'proj', 'transformer_layes.0.attn.in_proj_weight', 'ln_pre.weight']),
    { title: 'a T2I style adapter' },
  ],
  [
    'CoAdapter',
    named([
      'task_embedding',
      'spatial_feat_mapping.sketch.1.weight',
      'spatial_ch_projs.sketch.weight',
      'transformer_layes.0.ln_1.weight',
    ]),
    { title: 'a CoAdapter' },
  ],
  ['IP-Adapter', { ...ipKeys, ...named(['image_proj.proj.weight'], [3072, 1024]) }, { kind: 'ip-adapter' }],
  [
    'IP-Adapter Plus',
    { ...ipKeys, 'image_proj.latents': [1, 16, 768], 'image_proj.proj_in.weight': [768, 1280] },
    { kind: 'ip-adapter' },
  ],
  [
    'IP-Adapter Full Face',
    { ...ipKeys, ...named(['image_proj.proj.0.weight', 'image_proj.proj.3.weight']) },
    { kind: 'ip-adapter' },
  ],
  [
    'IP-Adapter FaceID',
    {
      ...ipKeys,
      ...named(['image_proj.proj.0.weight', 'image_proj.norm.weight', 'ip_adapter.0.to_q_lora.down.weight']),
    },
    { kind: 'ip-adapter' },
  ],
  [
    'InstantID',
    { ...ipKeys, 'image_proj.latents': [1, 16, 1280], 'image_proj.proj_in.weight': [1280, 512] },
    { title: /^an InstantID/ },
  ],
  [
    'IP-Adapter of Flux',
    named(['double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight', 'ip_adapter_proj_model.proj.weight']),
    { title: 'an IP-Adapter of Flux' },
  ],
  [
    'PhotoMaker',
    named(['id_encoder.visual_projection_2.weight', 'lora_weights.unet.down_blocks.1.attentions.0.to_q.lora_A.weight']),
    { title: 'a PhotoMaker' },
  ],
  ['PuLID', named(['pulid_ca.0.to_q.weight', 'id_adapter.latents']), { title: 'a PuLID' }],
  [
    'GLIGEN',
    named(['position_net.linears.0.weight', 'input_blocks.1.1.transformer_blocks.0.fuser.attn.to_q.weight']),
    { title: 'a GLIGEN model' },
  ],
  [
    'motion modules',
    named(['down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight'], [320, 320]),
    { kind: 'motion-adapter' },
  ],
  [
    'motion LoRA',
    named([
      'down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0.processor.to_q_lora.down.weight',
    ]),
    { kind: 'lora' },
  ],
  ['Hotshot-XL', named(['down_blocks.0.temporal_attentions.0.norm.weight']), { title: 'motion layers of Hotshot-XL' }],
  [
    'LoRA',
    named([
      'lora_unet_mid_block_attentions_0_proj_in.lora_down.weight',
      'lora_unet_mid_block_attentions_0_proj_in.lora_up.weight',
    ]),
    { kind: 'lora' },
  ],
  [
    'LoRA of Flux, PEFT',
    named([
      'transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight',
      'diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight',
    ]),
    { kind: 'lora' },
  ],
  ['textual inversion', { emb_params: [2, 768] }, { kind: 'textual-inversion' }],
  ['textual inversion of diffusers', { '<cat-toy>': [768] }, { kind: 'textual-inversion' }],
  ['textual inversion of several words', { '<a>': [768], '<b>': [2, 768] }, { kind: 'textual-inversion' }],
  ['textual inversion of SDXL', { clip_l: [2, 768], clip_g: [2, 1280] }, { kind: 'textual-inversion' }],
  ['textual inversion of A1111', { 'string_to_param.*': [2, 768] }, { kind: 'textual-inversion' }],
  ['unCLIP normalizer', { mean: [1, 768], std: [1, 768] }, { title: 'an image normalizer of unCLIP' }],
  ['ESRGAN', named(['model.1.sub.0.RDB1.conv1.0.weight', 'model.0.weight']), { title: /ESRGAN/ }],
  ['SwinIR', named(['layers.0.residual_group.blocks.0.norm1.weight', 'conv_first.weight']), { title: /SwinIR/ }],
  [
    'reference U-Net',
    named(['conv_in.weight', 'down_blocks.0.attentions.0.proj_in.weight', 'up_blocks.3.attentions.0.proj_in.weight']),
    { title: /^a reference U-Net/ },
  ],
  ['Flux', named(['model.diffusion_model.double_blocks.0.img_attn.qkv.weight']), { title: 'Flux' }],
  [
    'Stable Cascade',
    named(['clip_txt_mapper.weight', 'down_blocks.0.0.channelwise.0.weight']),
    { title: 'Stable Cascade' },
  ],
  [
    'Stable Video Diffusion',
    named([
      'model.diffusion_model.input_blocks.1.0.time_stack.in_layers.0.weight',
      'model.diffusion_model.input_blocks.0.0.weight',
      'first_stage_model.decoder.mid.block_1.time_stack.conv1.weight',
    ]),
    { title: 'Stable Video Diffusion' },
  ],
  [
    'Zero123',
    named(['cc_projection.weight', 'model.diffusion_model.input_blocks.0.0.weight']),
    { title: 'an image-to-3D model' },
  ],
];

/** A source of one safetensors file that has only its header: nothing else may be read. */
function headerSource(shapes: Shapes): Source {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += shape.reduce((a, b) => a * b, 2);
    return [name, { dtype: 'F16', shape, data_offsets: [start, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return {
    size: async () => bytes.length + end,
    read: async (_, range) => {
      if (range === undefined || range.end > bytes.length) throw new Error('read more than the header');
      return bytes.subarray(range.start, range.end);
    },
  };
}

const path = 'x.safetensors';
const caught = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('nothing was thrown'),
    (error: Error) => error,
  );

describe('inspect, attach and loadPipeline agree', () => {
  let sd: Pipeline;
  beforeAll(async () => {
    sd = await loadPipeline(fixture('models/sd1'), { releaseStages: true });
  });
  afterAll(() => sd.dispose());

  test.each(rows)('%s', async (_, shapes, expected) => {
    const source = headerSource(shapes);
    const { kind, details, canDo } = await inspect(source, { path });
    const [attaching, loading] = [
      await caught(sd.attach(source, { path, name: 'x' })),
      await caught(loadPipeline(source, { path })),
    ];
    if ('title' in expected) {
      expect(kind).toBe('unsupported');
      expect(details.title).toMatch(
        typeof expected.title === 'string'
          ? new RegExp(`^${expected.title.replace(/[()]/g, '\\$&')}$`)
          : expected.title,
      );
      for (const error of [attaching, loading]) expect(error).toBeInstanceOf(UnsupportedError);
      for (const text of [canDo, attaching.message, loading.message]) expect(text).toContain(details.title);
      return;
    }
    expect(kind).toBe(expected.kind);
    // Of a header alone, nothing can be drawn: what is wrong with it is said for the kind.
    expect(SdError.isInstance(attaching) || attaching.message === 'read more than the header').toBe(true);
    const isAdapter = !['transformer', 'vae', 'text-encoder', 'image-encoder'].includes(kind);
    if (isAdapter) {
      expect(attaching.message).not.toMatch(/cannot be attached\. |of no known kind/);
      expect(loading).toBeInstanceOf(UnsupportedError);
      expect(loading.message).toContain(`is an adapter (${kind}), not a model.`);
    } else {
      expect(attaching.message).toContain(`is a ${kind}, which cannot be attached.`);
      expect(SdError.isInstance(loading)).toBe(true);
    }
  });

  test('attach({ kind }) refuses by name too, and a component from such a file', async () => {
    const source = headerSource({ ...control, task_embedding: [6, 320] });
    const forced = await caught(sd.attach(source, { path, kind: 'controlnet' }));
    expect(forced).toBeInstanceOf(UnsupportedError);
    expect(forced.message).toBe(`${path} is a ControlNet Union (ControlNet++, ProMax), which is not supported.`);
  });
});

describe('folders', () => {
  const folder = (files: Readonly<Record<string, unknown>>) =>
    memorySource(Object.fromEntries(Object.entries(files).map(([name, json]) => [name, JSON.stringify(json)])));

  test.each([
    ['ControlNetUnionModel', /^It is a ControlNet Union/],
    ['SparseControlNetModel', /^It is a SparseCtrl/],
    ['AutoencoderKLWan', /^It is the autoencoder of a video model/],
    ['FluxTransformer2DModel', /^It is a FluxTransformer2DModel, which is not supported/],
    ['ControlNetModel', undefined],
  ])('of a %s', async (name, says) => {
    const source = folder({ 'config.json': { _class_name: name } });
    const { kind, canDo } = await inspect(source);
    const loading = await caught(loadPipeline(source));
    expect(loading).toBeInstanceOf(UnsupportedError);
    if (says === undefined) {
      expect(kind).toBe('controlnet');
      expect(loading.message).toMatch(/ is an adapter \(controlnet\), not a model: it has no model_index\.json\./);
      return;
    }
    expect(kind).toBe('unsupported');
    expect(canDo).toMatch(says);
    expect(loading.message).toContain(canDo.slice('It'.length));
    const sd = await loadPipeline(fixture('models/sd1'), { releaseStages: true });
    const attaching = await caught(sd.attach(source, { name: 'x' }));
    await sd.dispose();
    expect(attaching).toBeInstanceOf(UnsupportedError);
    expect(attaching.message).toContain(canDo);
  });

  test.each([
    [
      { _class_name: 'FluxPipeline', transformer: ['diffusers', 'FluxTransformer2DModel'] },
      /a FluxPipeline, whose transformer is a FluxTransformer2DModel/,
    ],
    [
      { _class_name: 'StableCascadeCombinedPipeline', prior_prior: ['diffusers', 'StableCascadeUNet'] },
      /a StableCascadeCombinedPipeline\./,
    ],
  ])('of the pipeline %j', async (index, says) => {
    const source = folder({ 'model_index.json': index, 'transformer/config.json': { in_channels: 64 } });
    expect((await inspect(source)).kind).toBe('unsupported');
    const loading = await caught(loadPipeline(source));
    expect(loading).toBeInstanceOf(UnsupportedError);
    expect(loading.message).toMatch(says);
  });
});

test('every title is that of a file here', () => {
  expect(rows.filter(([, shapes]) => Object.keys(shapes).length === 0)).toEqual([]);
});

test('fixtures and full-size models of supported families are of no refused kind', async () => {
  for (const name of ['sd15', 'sd21', 'sdxl', 'sdxl-refiner']) {
    const tree = JSON.parse(readFileSync(new URL(`../data/headers/${name}.json`, import.meta.url), 'utf8'));
    const weights = await openWeights(headerSource(flat(tree)), path);
    expect(findWeights(weights).kind).toBe('pipeline');
    const unet = 'model.diffusion_model.';
    const bare = new Map<string, TensorView>(
      [...weights.tensors].flatMap(([key, view]) => (key.startsWith(unet) ? [[key.slice(unet.length), view]] : [])),
    );
    expect(findWeights({ ...weights, tensors: bare }).kind).toBe('unet');
  }
});
