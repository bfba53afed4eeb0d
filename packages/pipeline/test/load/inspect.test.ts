import { readFileSync } from 'node:fs';
import type { Source } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { inspect } from '../../src/index.js';

const adapter = (name: string) => fixture(`adapters/${name}`);
const model = (name: string) => fixture(`models/${name}`);

/** A source of one safetensors file that has only its header: nothing else may be read. */
function headerSource(shapes: Readonly<Record<string, readonly number[]>>, dtype = 'F16', metadata = {}): Source {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += shape.reduce((a, b) => a * b, dtype === 'F32' ? 4 : dtype === 'F16' ? 2 : 1);
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return {
    size: async () => bytes.length + end,
    async read(_, range) {
      expect(range?.end).toBeLessThanOrEqual(bytes.length);
      return bytes.subarray(range?.start, range?.end);
    },
  };
}

const inspected = (...args: Parameters<typeof headerSource>) =>
  inspect(headerSource(...args), { path: 'x.safetensors' });

/** Names and shapes of a full-size file, see data/make-headers.py. */
function fullSize(name: string): Record<string, number[]> {
  const tree = JSON.parse(readFileSync(new URL(`../data/headers/${name}.json`, import.meta.url), 'utf8'));
  const flat = (node: object, path: string): [string, number[]][] =>
    Object.entries(node).flatMap(([key, inner]): [string, number[]][] =>
      Array.isArray(inner) ? [[path + key, inner]] : flat(inner, `${path}${key}.`),
    );
  return Object.fromEntries(flat(tree, ''));
}

test('unknown and impossible options are refused', async () => {
  for (const [options, option] of [
    [{ file: 'x' }, 'file'],
    [{ path: 1 }, 'path'],
    [null, 'options'],
  ] as const) {
    await expect(inspect(model('sd1'), options as object)).rejects.toMatchObject({ code: 'invalid-option', option });
  }
});

describe('files and folders', () => {
  test.each([
    [
      adapter('lora-kohya/style.safetensors'),
      {
        kind: 'lora',
        layout: 'kohya',
        details: {
          algorithms: ['lora'],
          modules: 42,
          components: ['text_encoder', 'unet'],
          ranks: [2, 4],
          convolutions: true,
        },
      },
    ],
    [
      adapter('lora-peft'),
      {
        kind: 'lora',
        layout: 'PEFT',
        details: { algorithms: ['lora'], modules: 53, components: ['text_encoder', 'unet'], ranks: [3, 4] },
      },
    ],
    [
      adapter('hypernetwork/hypernetwork.pt'),
      {
        kind: 'hypernetwork',
        layout: 'A1111',
        details: {
          widths: [32, 64],
          structure: [1, 2, 1],
          activation: 'relu',
          layerNorm: false,
          title: 'hypernetwork',
        },
      },
    ],
    [
      adapter('hypernetwork-norm/hypernetwork-norm.pt'),
      { kind: 'hypernetwork', details: { activation: 'tanh', layerNorm: true } },
    ],
    [
      adapter('textual-inversion/learned_embeds.safetensors'),
      { kind: 'textual-inversion', layout: 'diffusers', details: { token: '<blob>', vectors: 2, width: 32 } },
    ],
    [
      adapter('textual-inversion/blob.safetensors'),
      { kind: 'textual-inversion', layout: 'A1111', details: { vectors: 2, width: 32 } },
    ],
    [
      adapter('textual-inversion/blob.pt'),
      { kind: 'textual-inversion', layout: 'A1111', details: { vectors: 2, width: 32, title: 'blob' } },
    ],
    [
      adapter('ip-adapter/ip-adapter.safetensors'),
      { kind: 'ip-adapter', details: { variant: 'plain', tokens: 4, layers: 4, imageWidth: 24 } },
    ],
    [
      adapter('ip-adapter/image_encoder'),
      { kind: 'image-encoder', details: { class: 'CLIPVisionModelWithProjection' } },
    ],
    [
      adapter('ip-adapter/image_encoder/model.safetensors'),
      { kind: 'image-encoder', details: { width: 32, patch: 8 } },
    ],
    [adapter('controlnet/canny'), { kind: 'controlnet', layout: 'diffusers' }],
    [
      adapter('controlnet/canny/diffusion_pytorch_model.safetensors'),
      { kind: 'controlnet', layout: 'diffusers', details: { channels: 3 } },
    ],
    [adapter('animatediff/motion'), { kind: 'motion-adapter', layout: 'diffusers' }],
    [
      adapter('animatediff/motion/diffusion_pytorch_model.safetensors'),
      { kind: 'motion-adapter', layout: 'diffusers', details: { frames: 8, modules: 7, middle: true } },
    ],
    [
      adapter('lcm/unet/diffusion_pytorch_model.safetensors'),
      { kind: 'unet', family: 'sd1', details: { guidanceInput: true, purpose: 'text to image' } },
    ],
    [
      adapter('from-picture/pix2pix/unet/diffusion_pytorch_model.safetensors'),
      { kind: 'unet', details: { purpose: 'instruct-pix2pix' } },
    ],
    [
      adapter('single-file/sd1.safetensors'),
      { kind: 'pipeline', family: 'sd1', layout: 'original', dtypes: ['F32', 'I64'] },
    ],
    [adapter('single-file/sd2.safetensors'), { kind: 'pipeline', family: 'sd2', layout: 'original', dtypes: ['F32'] }],
    [
      adapter('single-file/sdxl.safetensors'),
      { kind: 'pipeline', family: 'sdxl', details: { parts: ['unet', 'vae', 'text_encoder', 'text_encoder_2'] } },
    ],
    [
      model('sd1'),
      {
        kind: 'pipeline',
        family: 'sd1',
        layout: 'diffusers',
        details: { class: 'StableDiffusionPipeline', channels: 4 },
      },
    ],
    [model('sd2'), { kind: 'pipeline', family: 'sd2' }],
    [model('sdxl'), { kind: 'pipeline', family: 'sdxl' }],
    [
      model('sd1-inpaint/unet/diffusion_pytorch_model.safetensors'),
      { kind: 'unet', layout: 'diffusers', details: { purpose: 'inpainting', channels: 9 } },
    ],
    [model('sd1/vae'), { kind: 'vae', details: { class: 'AutoencoderKL' } }],
    [
      model('sd1/vae/diffusion_pytorch_model.safetensors'),
      { kind: 'vae', layout: 'diffusers', details: { latentChannels: 4 } },
    ],
    [model('sd1/text_encoder'), { kind: 'text-encoder', details: { class: 'CLIPTextModel' } }],
    [
      model('sd1-onnx'),
      {
        kind: 'pipeline',
        layout: 'ONNX, by optimum from 1.24',
        dtypes: ['F32'],
        details: { class: 'StableDiffusionPipeline', encoder: 'latent_parameters', opset: 14 },
        canDo: 'loadPipeline() draws with it.',
      },
    ],
    [
      model('sd1-onnx-old'),
      {
        kind: 'pipeline',
        layout: 'ONNX, by optimum up to 1.23',
        details: {
          encoder: 'latent_sample',
          inputs: [
            'sample: float32 [batch_size, num_channels, height, width]',
            'timestep: int64 [steps]',
            'encoder_hidden_states: float32 [batch_size, sequence_length, hidden]',
          ],
        },
      },
    ],
    [model('sd1-onnx-script'), { kind: 'pipeline', layout: 'ONNX, by diffusers’ script' }],
    [model('sd1-onnx/unet'), { kind: 'unet', layout: 'ONNX' }],
    [model('sd1-onnx/text_encoder/model.onnx'), { kind: 'text-encoder', layout: 'ONNX' }],
    [model('sd1-onnx/vae_decoder/model.onnx'), { kind: 'vae', layout: 'ONNX' }],
    [model('sd1-onnx-old/vae_encoder/model.onnx'), { kind: 'vae', layout: 'ONNX' }],
    [adapter('controlnet-onnx/amblyopius/controlnet'), { kind: 'controlnet', layout: 'ONNX' }],
    [adapter('controlnet-onnx/fused/unet'), { kind: 'unet', layout: 'ONNX', details: { controlNets: 2 } }],
    [model('taesd'), { kind: 'vae', details: { class: 'AutoencoderTiny' } }],
    [model('taesd/diffusion_pytorch_model.safetensors'), { kind: 'vae', layout: 'diffusers', details: { tiny: true } }],
  ])('%s', async (place, expected) => {
    const inspection = await inspect(place);
    expect(inspection).toMatchObject(expected);
    expect(inspection.canDo).toMatch(/^[A-Zal].*\.$/);
  });

  test('unknown folders and files, and a missing file', async () => {
    expect(await inspect(model('sd1/tokenizer'))).toMatchObject({ kind: 'unknown' });
    expect(await inspected({ weight: [3, 3, 3], 'x.y': [1] })).toMatchObject({
      kind: 'unknown',
      details: { firstTensor: 'weight' },
    });
    await expect(inspect(adapter('nothing.safetensors'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('models at full size', () => {
  test.each([
    ['sd15', 'sd1', 768],
    ['sd21', 'sd2', 1024],
    ['sdxl', 'sdxl', 2048],
    ['sdxl-refiner', 'sdxl-refiner', 1280],
  ])('%s', async (name, family, contextWidth) => {
    const header = fullSize(name);
    const whole = { kind: 'pipeline', family, layout: 'original', dtypes: ['F16'], details: { contextWidth } };
    expect(await inspected(header)).toMatchObject(whole);
    const prefix = 'model.diffusion_model.';
    const unet = Object.entries(header).filter(([key]) => key.startsWith(prefix));
    expect(await inspected(Object.fromEntries(unet))).toMatchObject({ kind: 'unet', family });
    const bare = unet.map(([key, shape]) => [key.slice(prefix.length), shape]);
    expect(await inspected(Object.fromEntries(bare), 'F8_E4M3')).toMatchObject({
      kind: 'unet',
      family,
      dtypes: ['F8_E4M3'],
    });
  });

  test('a model that cannot be loaded says so', async () => {
    const header = fullSize('sd21');
    header['model.diffusion_model.input_blocks.0.0.weight'] = [320, 5, 3, 3];
    const { kind, canDo } = await inspected(header);
    expect([kind, canDo]).toEqual([
      'pipeline',
      'It cannot be loaded: x.safetensors is the depth-to-image model of Stable Diffusion 2, which is not supported.',
    ]);
    expect(await inspected({ 'double_blocks.0.img_attn.qkv.weight': [9, 3] })).toMatchObject({
      kind: 'unsupported',
      details: { title: 'Flux' },
      canDo:
        'It is a model of Flux, which is not supported. Supported are Stable Diffusion 3, Stable Diffusion XL, the refiner of Stable Diffusion XL, Stable Diffusion 2, Stable Diffusion 1.',
    });
  });
});

describe('adapters at full size', () => {
  const attention = 'down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k';
  test.each([
    [`lora_unet_${attention}`, 768, 'sd1'],
    [`lora_unet_${attention}`, 1024, 'sd2'],
    [`lora_unet_${attention}`, 2048, 'sdxl'],
  ])('a LoRA of %s, %i wide, is for %s', async (name, width, family) => {
    const found = await inspected({
      [`${name}.lora_down.weight`]: [16, width],
      [`${name}.lora_up.weight`]: [640, 16],
      [`${name}.alpha`]: [],
    });
    expect(found).toMatchObject({ kind: 'lora', layout: 'kohya', family, details: { ranks: [16], modules: 1 } });
  });

  test('LyCORIS and DoRA, with their algorithms; other algorithms and models say why they cannot be attached', async () => {
    const [a, b] = ['lora_unet_mid_block_attentions_0_proj_in', 'lora_unet_mid_block_attentions_0_proj_out'];
    const loha = ['w1_a', 'w2_a'].map((slot) => [`${a}.hada_${slot}`, [8, 4]]);
    const hada = { ...Object.fromEntries(loha), [`${a}.hada_w1_b`]: [4, 8], [`${a}.hada_w2_b`]: [4, 8] };
    const lokr = { [`${b}.lokr_w1`]: [2, 2], [`${b}.lokr_w2`]: [4, 4] };
    expect((await inspected({ ...hada, ...lokr })).details.algorithms).toEqual(['loha', 'lokr']);
    const dora = { [`${a}.lora_down.weight`]: [4, 8], [`${a}.lora_up.weight`]: [8, 4], [`${a}.dora_scale`]: [8, 1] };
    expect((await inspected(dora)).details.algorithms).toEqual(['lora', 'dora']);
    expect((await inspected({ [`${a}.oft_R.weight`]: [2, 4, 4] })).canDo).toMatch(
      /^It cannot be attached: .* uses OFT as PEFT/,
    );
    const flux = { 'lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight': [4, 8] };
    expect((await inspected(flux)).canDo).toMatch(/^It cannot be attached: .* is for Flux/);
  });

  test('IP-Adapters by their projection', async () => {
    const keys = { 'ip_adapter.1.to_k_ip.weight': [320, 768], 'ip_adapter.1.to_v_ip.weight': [320, 768] };
    const plus = { ...keys, 'image_proj.latents': [1, 16, 768], 'image_proj.proj_in.weight': [768, 1280] };
    expect(await inspected(plus)).toMatchObject({
      kind: 'ip-adapter',
      family: 'sd1',
      details: { variant: 'Plus', tokens: 16, imageWidth: 1280 },
    });
    const full = { ...keys, 'image_proj.proj.0.weight': [1280, 1280], 'image_proj.proj.3.weight': [768] };
    expect(await inspected(full)).toMatchObject({ details: { variant: 'Full' } });
    const face = { ...keys, 'ip_adapter.0.to_q_lora.down.weight': [128, 320] };
    expect(await inspected(face)).toMatchObject({
      kind: 'ip-adapter',
      details: { variant: 'FaceID' },
      canDo: expect.stringMatching(/face recogniser/),
    });
  });

  test('ControlNets and T2I-Adapters, in the original layout and in diffusers’', async () => {
    const control = {
      'zero_convs.0.0.weight': [320, 320, 1, 1],
      'input_hint_block.0.weight': [16, 3, 3, 3],
      'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 1024],
    };
    const prefixed = Object.fromEntries(Object.entries(control).map(([key, shape]) => [`control_model.${key}`, shape]));
    for (const shapes of [control, prefixed]) {
      expect(await inspected(shapes)).toMatchObject({
        kind: 'controlnet',
        layout: 'original',
        family: 'sd2',
        details: { channels: 3 },
      });
    }
    const t2i = { 'conv_in.weight': [320, 192, 3, 3], 'body.0.block1.weight': [320, 320, 3, 3] };
    expect(await inspected(t2i)).toMatchObject({ kind: 't2i-adapter', layout: 'original', family: 'sd1' });
    const xl = {
      'adapter.conv_in.weight': [320, 768, 3, 3],
      'adapter.body.0.resnets.0.block1.weight': [320, 320, 3, 3],
    };
    expect(await inspected(xl)).toMatchObject({ kind: 't2i-adapter', layout: 'diffusers', family: 'sdxl' });
  });

  test('a Control-LoRA, which has a ControlNet’s names too', async () => {
    const control = {
      lora_controlnet: [0],
      'zero_convs.0.0.weight': [320, 320, 1, 1],
      'input_hint_block.0.weight': [16, 3, 3, 3],
      'input_blocks.0.0.down': [4, 4, 3, 3],
      'input_blocks.4.1.transformer_blocks.0.attn2.to_k.down': [128, 2048],
    };
    expect(await inspected(control)).toMatchObject({
      kind: 'control-lora',
      layout: 'original',
      family: 'sdxl',
      details: { channels: 3, rank: 128 },
    });
  });

  test('motion modules of the original AnimateDiff', async () => {
    const at = 'module.down_blocks.0.motion_modules.0.temporal_transformer';
    const motion = {
      [`${at}.proj_in.weight`]: [320, 320],
      [`${at}.transformer_blocks.0.attention_blocks.0.pos_encoder.pe`]: [1, 24, 320],
      'module.down_blocks.3.motion_modules.0.temporal_transformer.norm.weight': [1280],
    };
    expect(await inspected(motion)).toMatchObject({
      kind: 'motion-adapter',
      layout: 'original',
      family: 'sd1',
      details: { frames: 24, middle: false },
    });
  });

  test.each([
    [768, 'sd1'],
    [1024, 'sd2'],
  ])('textual inversions, %i wide, are for %s', async (width, family) => {
    const shapes: readonly Record<string, number[]>[] = [{ emb_params: [2, width] }, { '<word>': [width] }];
    for (const shape of shapes) {
      expect(await inspected(shape)).toMatchObject({ kind: 'textual-inversion', family });
    }
  });

  test('textual inversions for SDXL', async () => {
    const found = await inspected({ clip_g: [2, 1280], clip_l: [2, 768] });
    expect(found).toMatchObject({ kind: 'textual-inversion', family: 'sdxl', details: { vectors: 2 } });
  });

  test('an autoencoder alone, also under TAESD’s names', async () => {
    const vae = Object.entries(fullSize('sd15')).flatMap(([name, shape]) =>
      name.startsWith('first_stage_model.') ? [[name.slice(18), shape]] : [],
    );
    expect(await inspected(Object.fromEntries(vae))).toMatchObject({
      kind: 'vae',
      layout: 'original',
      details: { latentChannels: 4 },
    });
    expect(await inspected({ '1.weight': [64, 4, 3, 3], '3.conv.0.weight': [64, 64, 3, 3] })).toMatchObject({
      kind: 'vae',
      layout: 'original',
      details: { tiny: true },
    });
  });
});
