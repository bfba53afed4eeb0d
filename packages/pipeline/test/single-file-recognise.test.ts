import { readFileSync } from 'node:fs';
import { clipTextConfig, clipTextConfigFromShapes } from '@sd/text-encoder';
import { type UnetConfig, unetConfig, unetConfigFromShapes } from '@sd/unet';
import { vaeConfig, vaeConfigFromShapes } from '@sd/vae';
import type { TensorView } from '@sd/weights';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { families } from '../src/load/single-file/families.js';
import { foreignModel } from '../src/load/single-file/foreign.js';
import { splitParts } from '../src/load/single-file/parts.js';
import { familyOf, refuseOthers, unetTraits } from '../src/load/single-file/recognise.js';
import { familyOfPrediction } from '../src/load/single-file/scheduler.js';

const file = { location: 'x', read: async () => new Uint8Array() };

function view(name: string, shape: readonly number[]): [string, TensorView] {
  return [name, { name, dtype: 'F16', shape, file, offset: 0, length: 0 }];
}

/** Names and shapes of a full-size file, made by data/make-headers.py. */
function headerOf(name: string): Map<string, TensorView> {
  const tree = JSON.parse(readFileSync(new URL(`data/headers/${name}.json`, import.meta.url), 'utf8'));
  const tensors = new Map<string, TensorView>();
  const visit = (node: object, path: string): void => {
    for (const [key, inner] of Object.entries(node)) {
      if (Array.isArray(inner)) tensors.set(...view(path + key, inner));
      else visit(inner, `${path}${key}.`);
    }
  };
  visit(tree, '');
  return tensors;
}

const configs: Record<string, Record<string, Record<string, unknown>>> = JSON.parse(
  readFileSync(new URL('data/headers/configs.json', import.meta.url), 'utf8'),
);

/** The same header with other channels into the U-Net. */
function withChannels(header: Map<string, TensorView>, channels: number): Map<string, TensorView> {
  const name = 'model.diffusion_model.input_blocks.0.0.weight';
  const [out, , ...kernel] = header.get(name)!.shape;
  return new Map([...header, view(name, [out!, channels, ...kernel])]);
}

/**
 * A U-Net's config without the depths of attentions that are not there, and without what only half precision asks for;
 * any other config as it is.
 */
function whatMatters(config: unknown): unknown {
  const { levels, ...rest } = config as Partial<UnetConfig>;
  if (levels === undefined) return config;
  const used = levels.map(({ downDepths, upDepths, ...level }) => ({
    ...level,
    downDepths: level.downHeads === 0 ? undefined : downDepths,
    upDepths: level.upHeads === 0 ? undefined : upDepths,
  }));
  return { ...rest, levels: used, upcastAttention: undefined };
}

const models = [
  ['sd15', 'sd1'],
  ['sd21', 'sd2'],
  ['sdxl', 'sdxl'],
  ['sdxl-refiner', 'sdxl-refiner'],
] as const;

describe.each(models)('the header of a full-size file of %s', (name, id) => {
  const { tensors, spare } = splitParts('x', headerOf(name));

  test('is recognised, with nothing left over', () => {
    expect([familyOf({ tensors }), spare]).toEqual([id, []]);
    expect(() => refuseOthers('x', id, { tensors })).not.toThrow();
    const traits = unetTraits(tensors.unet!)!;
    expect([traits.inChannels, traits.contextWidth]).toEqual([4, configs[name]!.unet!.cross_attention_dim]);
  });

  test('is recognised by its U-Net alone', () => {
    expect(familyOf({ tensors: { unet: tensors.unet! } })).toBe(id);
  });

  test('has the shapes that its own config says, as the stages read it', () => {
    const family = families[id];
    const parse = {
      unet: [unetConfig, unetConfigFromShapes('x', tensors.unet!, family.unet, family.heads)],
      vae: [vaeConfig, vaeConfigFromShapes('x', tensors.vae!, family.vae)],
      ...Object.fromEntries(
        Object.entries(family.text).map(([part, rules]) => [
          part,
          [clipTextConfig, clipTextConfigFromShapes('x', tensors[part as 'text_encoder']!, rules)],
        ]),
      ),
    } as unknown as Record<string, [(config: Config) => unknown, Record<string, unknown>]>;
    expect(Object.keys(parse).sort()).toEqual(Object.keys(configs[name]!).sort());
    for (const [part, [read, made]] of Object.entries(parse)) {
      const wanted = read(new Config('true', configs[name]![part]!));
      expect([part, whatMatters(read(new Config('made', made)))]).toEqual([part, whatMatters(wanted)]);
    }
  });
});

describe('other models of the families', () => {
  test.each([
    ['sd15', 'sd1', 9],
    ['sd15', 'sd1', 8],
    ['sd21', 'sd2', 9],
    ['sdxl', 'sdxl', 9],
  ] as const)('%s with %s and %i channels are known', (name, id, channels) => {
    const parts = splitParts('x', withChannels(headerOf(name), channels));
    expect(familyOf(parts)).toBe(id);
    expect(() => refuseOthers('x', id, parts)).not.toThrow();
    expect(unetConfigFromShapes('x', parts.tensors.unet!, families[id].unet, families[id].heads).in_channels).toBe(
      channels,
    );
  });

  test.each([
    ['sd21', 'sd2', 5, 'is the depth-to-image model of Stable Diffusion 2'],
    ['sd21', 'sd2', 7, 'is the upscaler of Stable Diffusion 2'],
  ] as const)('%s with %s and %i channels are refused by name', (name, id, channels, message) => {
    const parts = splitParts('x', withChannels(headerOf(name), channels));
    expect(() => refuseOthers('x', id, parts)).toThrow(message);
  });

  test('unCLIP is refused by name', () => {
    const header = headerOf('sd21');
    const parts = splitParts(
      'x',
      new Map([...header, view('model.diffusion_model.label_emb.0.0.weight', [1280, 2048])]),
    );
    expect(() => refuseOthers('x', familyOf(parts)!, parts)).toThrow(
      'is unCLIP, which makes variations of pictures, of Stable Diffusion 2',
    );
  });

  test('distilled ones have the blocks that are in the file', () => {
    const header = headerOf('sdxl');
    const fewer = new Map([...header].filter(([name]) => !/transformer_blocks\.[4-9]\./.test(name)));
    const { tensors } = splitParts('x', fewer);
    expect(familyOf({ tensors })).toBe('sdxl');
    const config = unetConfigFromShapes('x', tensors.unet!, families.sdxl.unet, families.sdxl.heads);
    expect(config.transformer_layers_per_block).toEqual([1, 2, 4]);
  });
});

test('a model of Stable Diffusion 2 that predicts noise is for 512 pixels, one that predicts v for 768', () => {
  const sizeOf = (prediction: 'epsilon' | 'v_prediction') =>
    familyOfPrediction(families.sd2, prediction).unet.sample_size;
  expect([sizeOf('epsilon'), sizeOf('v_prediction')]).toEqual([64, 96]);
  expect(familyOfPrediction(families.sd1, 'epsilon')).toBe(families.sd1);
});

test('what training leaves in a file is not told of, anything else is', () => {
  const extra = ['model_ema.decay', 'betas', 'alphas_cumprod_prev', 'first_stage_model.loss.logvar', 'what.is.this'];
  const { spare, tensors } = splitParts('x', new Map([...headerOf('sd15'), ...extra.map((name) => view(name, [1]))]));
  expect(spare).toEqual(['what.is.this']);
  expect(tensors.vae!.has('loss.logvar')).toBe(false);
});

describe('models of other kinds are named', () => {
  test.each([
    [
      'Flux',
      ['model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale', 'model.diffusion_model.img_in.weight'],
    ],
    ['Flux', ['double_blocks.0.img_mod.lin.weight', 'single_blocks.0.linear1.weight']],
    ['Chroma', ['distilled_guidance_layer.norms.0.scale', 'double_blocks.0.img_attn.qkv.weight']],
    [
      'Stable Diffusion 3',
      ['model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight', 'model.diffusion_model.pos_embed'],
    ],
    ['Wan', ['blocks.0.self_attn.norm_q.weight', 'patch_embedding.weight', 'head.modulation']],
    ['PixArt or Sana', ['y_embedder.y_proj.fc1.weight', 'blocks.0.scale_shift_table']],
    ['LTX-Video', ['model.diffusion_model.patchify_proj.weight']],
    ['Stable Cascade', ['clip_txt_mapper.weight', 'down_blocks.0.0.channelwise.0.weight']],
    ['Stable Video Diffusion', ['model.diffusion_model.input_blocks.1.0.time_stack.in_layers.0.weight']],
  ])('%s', (title, names) => {
    expect(foreignModel(names)).toBe(title);
  });

  test('those of the families are not', () => {
    for (const [name] of models) expect(foreignModel(headerOf(name).keys())).toBeUndefined();
  });
});
