import { readFileSync } from 'node:fs';
import { unsupportedModel } from '@sd/adapters';
import { clipTextConfig } from '@sd/text-encoder';
import { type UnetConfig, unetConfig } from '@sd/unet';
import { vaeConfig } from '@sd/vae';
import { Config, type TensorView } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import type { Family, FileNotes, FilePrediction, SplitFile } from '../../src/families/family.js';
import { families } from '../../src/families/index.js';
import { unetTraits } from '../../src/families/unet.js';
import { recogniseFile } from '../../src/load/single-file/split.js';

const file = { location: 'x', read: async () => new Uint8Array() };

function view(name: string, shape: readonly number[]): [string, TensorView] {
  return [name, { name, dtype: 'F16', shape, file, offset: 0, length: 0 }];
}

/** Names and shapes of a full-size file, made by data/make-headers.py. */
function headerOf(name: string): Map<string, TensorView> {
  const tree = JSON.parse(readFileSync(new URL(`../data/headers/${name}.json`, import.meta.url), 'utf8'));
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
  readFileSync(new URL('../data/headers/configs.json', import.meta.url), 'utf8'),
);

/** The same header with another number of U-Net input channels. */
function withChannels(header: Map<string, TensorView>, channels: number): Map<string, TensorView> {
  const name = 'model.diffusion_model.input_blocks.0.0.weight';
  const [out, , ...kernel] = header.get(name)?.shape ?? [];
  return new Map([...header, view(name, [out, channels, ...kernel])]);
}

/**
 * A U-Net's config without the depths of absent attentions and without the setting for half precision; any other config
 * unchanged.
 */
function comparable(config: unknown): unknown {
  const { levels, ...rest } = config as Partial<UnetConfig>;
  if (levels === undefined) return config;
  const used = levels.map(({ downDepths, upDepths, ...level }) => ({
    ...level,
    downDepths: level.downHeads === 0 ? undefined : downDepths,
    upDepths: level.upHeads === 0 ? undefined : upDepths,
  }));
  return { ...rest, levels: used, upcastAttention: undefined };
}

const familyNamed = (id: string) => families.find((family) => family.id === id)!;
const refusalOf = ({ family, split }: ReturnType<typeof recogniseFile>) => family!.file.refuse?.(split);

/** The notes of a file that says nothing about its training. */
function notesOf(split: SplitFile, prediction?: FilePrediction): FileNotes {
  return { metadata: {}, has: () => false, markers: new Map(), split, prediction };
}

/** The configs of a file's components, as loading makes them. */
function configsOf({ file, textEncoders, noisePredictor, vae }: Family, split: SplitFile) {
  return Object.fromEntries(
    [noisePredictor, vae, ...textEncoders].map(({ name, configFromShapes }) => {
      const known = file.known(name, notesOf(split));
      return [name, configFromShapes(split.path, split.components[name] ?? new Map(), known)];
    }),
  );
}

const models = [
  ['sd15', 'sd1'],
  ['sd21', 'sd2'],
  ['sdxl', 'sdxl'],
  ['sdxl-refiner', 'sdxl-refiner'],
] as const;

describe.each(models)('the header of a full-size file of %s', (name, id) => {
  const { family, split } = recogniseFile('x', headerOf(name));

  test('is recognised, with nothing left over', () => {
    expect([family?.id, split.unused]).toEqual([id, []]);
    expect(() => refusalOf({ family, split })).not.toThrow();
    const traits = unetTraits(split)!;
    expect([traits.inChannels, traits.contextWidth]).toEqual([4, configs[name].unet.cross_attention_dim]);
  });

  test('is recognised by its U-Net alone', () => {
    const alone = { ...split, components: { unet: split.components.unet } };
    expect(families.find(({ file }) => file.recognises(alone))?.id).toBe(id);
  });

  test('has the shapes in its config, as the stages read it', () => {
    const made = configsOf(familyNamed(id), split);
    const read: Record<string, (config: Config) => unknown> = {
      unet: unetConfig,
      vae: vaeConfig,
      text_encoder: clipTextConfig,
      text_encoder_2: clipTextConfig,
    };
    expect(Object.keys(made).sort()).toEqual(Object.keys(configs[name]).sort());
    for (const [component, values] of Object.entries(made)) {
      const configOf = (config: Config) => comparable(read[component](config));
      const expected = configOf(new Config('true', configs[name][component]));
      expect([component, configOf(new Config('made', values))]).toEqual([component, expected]);
    }
  });
});

describe('a full-size file under other names', () => {
  const renamed = (name: string, from: string | RegExp, to: string) =>
    new Map([...headerOf(name)].map(([key, tensor]): [string, TensorView] => [key.replace(from, to), tensor]));
  const whole = { sd15: 'text_encoder', sd21: 'text_encoder', sdxl: 'text_encoder text_encoder_2' };

  test.each([
    ['sd21', 'cond_stage_model.model.', 'conditioner.embedders.0.model.'],
    ['sd21', 'cond_stage_model.model.', 'text_encoders.clip_h.transformer.'],
    ['sd15', 'cond_stage_model.transformer.text_model.', 'cond_stage_model.transformer.'],
    ['sd15', 'cond_stage_model.transformer.', 'conditioner.embedders.0.transformer.'],
    ['sd15', 'cond_stage_model.transformer.', 'text_encoders.clip_l.transformer.'],
    ['sdxl', 'conditioner.embedders.1.model.', 'conditioner.embedders.1.transformer.'],
    ['sdxl', 'conditioner.embedders.1.model.', 'cond_stage_model.1.transformer.'],
    ['sdxl', 'conditioner.embedders.1.model.', 'text_encoders.clip_g.transformer.'],
  ] as const)('%s with %s as %s', (name, from, to) => {
    const { family, split } = recogniseFile('x', renamed(name, from, to));
    const wanted = recogniseFile('x', headerOf(name));
    expect(family).toBe(wanted.family);
    expect(split.unused).toEqual([]);
    expect(Object.keys(split.components).sort().join(' ')).toBe(`${whole[name]} unet vae`);
    for (const [component, tensors] of Object.entries(wanted.split.components)) {
      expect([...split.components[component]!.keys()].sort()).toEqual([...tensors!.keys()].sort());
    }
  });

  test.each(['sd15', 'sd21', 'sdxl'] as const)('%s with diffusers’ names, by component', (name) => {
    const wanted = recogniseFile('x', headerOf(name));
    const parts = Object.entries(wanted.split.components).flatMap(([component, tensors]) =>
      [...tensors!].map(([key, tensor]): [string, TensorView] => [`${component}.${key}`, tensor]),
    );
    const { family, split } = recogniseFile('x', new Map(parts));
    expect([family, split.unused]).toEqual([wanted.family, []]);
    expect(Object.keys(split.components).sort()).toEqual(Object.keys(wanted.split.components).sort());
  });

  test('a component that is in it twice is that of the known prefix, and the other is told of', () => {
    const twice = new Map([...headerOf('sd15'), view('text_encoders.clip_l.transformer.text_model.x', [1])]);
    expect(recogniseFile('x', twice).split.unused).toEqual(['text_encoders.clip_l.transformer.text_model.x']);
  });

  test('moving averages beside the weights are not used', () => {
    const averages = view('model_ema.diffusion_modelinput_blocks00weight', [320, 4, 3, 3]);
    expect(recogniseFile('x', new Map([...headerOf('sd15'), averages])).split.unused).toEqual([]);
  });

  test('a video model with a U-Net like that of Stable Diffusion 2 is of no family', () => {
    const time = view('model.diffusion_model.input_blocks.1.0.time_stack.in_layers.0.weight', [320]);
    const labels = view('model.diffusion_model.label_emb.0.0.weight', [1280, 768]);
    const header = new Map([
      ...renamed('sd21', 'cond_stage_model.model.', 'conditioner.embedders.0.open_clip.model.'),
      time,
      labels,
    ]);
    expect(recogniseFile('x', header).family).toBeUndefined();
    expect(unsupportedModel(header.keys())).toBe('Stable Video Diffusion');
  });

  test('SSD-1B has one residual block in the middle', () => {
    const header = [...headerOf('sdxl')].filter(([key]) => !/\.middle_block\.[12]\./.test(key));
    const { family, split } = recogniseFile('x', new Map(header));
    expect(family?.id).toBe('sdxl');
    expect(configsOf(family!, split).unet.mid_block_type).toBe('UNetMidBlock2D');
  });
});

describe('other models of the families', () => {
  test.each([
    ['sd15', 'sd1', 9],
    ['sd15', 'sd1', 8],
    ['sd21', 'sd2', 9],
    ['sdxl', 'sdxl', 9],
  ] as const)('%s with %s and %i channels are supported', (name, id, channels) => {
    const recognised = recogniseFile('x', withChannels(headerOf(name), channels));
    expect(recognised.family?.id).toBe(id);
    expect(() => refusalOf(recognised)).not.toThrow();
    expect(configsOf(familyNamed(id), recognised.split).unet.in_channels).toBe(channels);
  });

  test.each([
    ['sd15', 'sd1', 7, 'is an upscaler of Stable Diffusion 1'],
    ['sd21', 'sd2', 5, 'is the depth-to-image model of Stable Diffusion 2'],
    ['sd21', 'sd2', 7, 'is the upscaler of Stable Diffusion 2'],
  ] as const)('%s with %s and %i channels are refused by name', (name, id, channels, message) => {
    const recognised = recogniseFile('x', withChannels(headerOf(name), channels));
    expect(recognised.family?.id).toBe(id);
    expect(() => refusalOf(recognised)).toThrow(message);
  });

  test('unCLIP is refused by name', () => {
    const labels = view('model.diffusion_model.label_emb.0.0.weight', [1280, 2048]);
    expect(() => refusalOf(recogniseFile('x', new Map([...headerOf('sd21'), labels])))).toThrow(
      'is the unCLIP model of Stable Diffusion 2',
    );
  });

  test('distilled models have the blocks in the file', () => {
    const header = headerOf('sdxl');
    const fewer = new Map([...header].filter(([name]) => !/transformer_blocks\.[4-9]\./.test(name)));
    const { family, split } = recogniseFile('x', fewer);
    expect(family?.id).toBe('sdxl');
    expect(configsOf(family!, split).unet.transformer_layers_per_block).toEqual([1, 2, 4]);
  });
});

test('a model of Stable Diffusion 2 that predicts noise is for 512 pixels, one that predicts v for 768', () => {
  const { split } = recogniseFile('x', headerOf('sd21'));
  const known = (id: string, prediction: FilePrediction) =>
    familyNamed(id).file.known('unet', notesOf(split, prediction));
  expect([known('sd2', 'epsilon').sample_size, known('sd2', 'v').sample_size]).toEqual([64, 96]);
  expect(known('sd1', 'epsilon')).toEqual(known('sd1', 'v'));
});

test('remains of training are not reported, other unused tensors are', () => {
  const extra = ['model_ema.decay', 'betas', 'alphas_cumprod_prev', 'first_stage_model.loss.logvar', 'what.is.this'];
  const { split } = recogniseFile('x', new Map([...headerOf('sd15'), ...extra.map((name) => view(name, [1]))]));
  expect(split.unused).toEqual(['what.is.this']);
  expect(split.components.vae?.has('loss.logvar')).toBe(false);
});

describe('other kinds of model are named', () => {
  test.each([
    [
      'Flux',
      ['model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale', 'model.diffusion_model.img_in.weight'],
    ],
    ['Flux', ['double_blocks.0.img_mod.lin.weight', 'single_blocks.0.linear1.weight']],
    ['Chroma', ['distilled_guidance_layer.norms.0.scale', 'double_blocks.0.img_attn.qkv.weight']],
    ['Wan', ['blocks.0.self_attn.norm_q.weight', 'patch_embedding.weight', 'head.modulation']],
    ['PixArt or Sana', ['y_embedder.y_proj.fc1.weight', 'blocks.0.scale_shift_table']],
    ['LTX-Video', ['model.diffusion_model.patchify_proj.weight']],
    ['Stable Cascade', ['clip_txt_mapper.weight', 'down_blocks.0.0.channelwise.0.weight']],
    ['Stable Video Diffusion', ['model.diffusion_model.input_blocks.1.0.time_stack.in_layers.0.weight']],
  ])('%s', (title, names) => {
    expect(unsupportedModel(names)).toBe(title);
  });

  test('supported families are not', () => {
    for (const [name] of models) expect(unsupportedModel(headerOf(name).keys())).toBeUndefined();
  });
});
