import { createNodeBackend } from '@sd/backend-node';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { largestDifference, rgbOf } from '../../../image/test/support.js';
import { type GenerateOptions, inspect, loadPipeline, type Pipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';
import { counting } from '../support.js';

const { backend, counts } = counting(createNodeBackend({ threads: 1 }));
afterAll(() => backend.dispose());

const settings = { ...road, width: 96, height: 64, steps: 6 };
const figures = (folder: string) => readGolden('golden.safetensors', fixture(`adapters/${folder}`));
const style = (folder: string) => `${fixture(`adapters/${folder}`)}/style.safetensors`;
const weights = (folder: string) => `${fixture(`adapters/${folder}`)}/pytorch_lora_weights.safetensors`;

async function withLoras(
  files: Readonly<Record<string, string>>,
  use: (sd: Pipeline) => Promise<void>,
  model = 'models/sd1',
): Promise<void> {
  const sd = await loadPipeline(fixture(model), { backend });
  try {
    for (const [name, file] of Object.entries(files)) {
      expect(await sd.attach(file, { name })).toMatchObject({ name, kind: 'lora' });
    }
    await use(sd);
  } finally {
    await sd.dispose();
  }
}

async function expectRun(sd: Pipeline, folder: string, options: Partial<GenerateOptions>): Promise<void> {
  const { latents, colours } = await compareRun(
    sd,
    figures(folder),
    'run',
    { ...settings, ...options },
    { row: folder },
  );
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
}

const peft = weights('lora-peft');
const kohya = style('lora-kohya');

describe('whole runs match diffusers', () => {
  test('with a LoRA by PEFT, one by kohya, and both, without another session', () =>
    withLoras({ peft, kohya }, async (sd) => {
      await expectRun(sd, 'lora-both', { adapters: { peft: 0.7, kohya: 0.5 } });
      const { length } = counts.loaded;
      await expectRun(sd, 'lora-peft', { adapters: { peft: 0.7, kohya: 0 } });
      await expectRun(sd, 'lora-kohya', { adapters: { peft: 0, kohya: 0.7 } });
      expect(counts.loaded).toHaveLength(length);
    }));

  test('with one by kohya in a .pt file, as torch saves it', () => {
    const file = kohya.replace('.safetensors', '.pt');
    return withLoras({ lora: file }, async (sd) => {
      expect(await inspect(file)).toMatchObject({ kind: 'lora', layout: 'kohya', details: { modules: 42 } });
      await expectRun(sd, 'lora-kohya', { adapters: { lora: 0.7 } });
    });
  });

  test.each([
    ['locon', 0.7],
    ['loha', 0.7],
    ['lokr', 0.7],
    ['dora-lycoris', 1],
    ['doha-dokr', 1],
  ])('with LyCORIS: %s', (folder, strength) =>
    withLoras({ lora: style(folder) }, (sd) => expectRun(sd, folder, { steps: 4, adapters: { lora: strength } })),
  );

  test('with DoRA by PEFT', () =>
    withLoras({ lora: weights('dora-peft') }, (sd) => expectRun(sd, 'dora-peft', { steps: 4 })));

  test('with a LoRA for SDXL', () =>
    withLoras(
      { lora: style('lora-sdxl') },
      (sd) => expectRun(sd, 'lora-sdxl', { steps: 4, adapters: { lora: 0.7 } }),
      'models/sdxl',
    ));
});

describe('a strength', () => {
  test('can differ between text and image, and change over the steps', () =>
    withLoras({ peft }, async (sd) => {
      const { length } = counts.loaded;
      const both = { unet: (fraction: number) => 0.7 + 0 * fraction, text_encoder: 0.7 };
      await expectRun(sd, 'lora-peft', { adapters: { peft: both } });
      const { images } = await sd.generate({ ...settings, adapters: { peft: 0.7 } });
      const changed = await sd.generate({
        ...settings,
        adapters: { peft: { ...both, unet: (fraction: number) => 1 - fraction } },
      });
      expect(relativeError(rgbOf(changed.images[0]), rgbOf(images[0]))).toBeGreaterThan(0.01);
      expect(new Set(counts.loaded.slice(length)).size).toBe(counts.loaded.length - length);
    }));

  test('of 0 gives the result without the LoRA', () =>
    withLoras({ peft }, async (sd) => {
      const [unstyled] = (await sd.generate({ ...settings, adapters: { peft: 0 } })).images;
      await sd.detach('peft');
      const [plain] = (await sd.generate(settings)).images;
      expect(largestDifference(rgbOf(unstyled), rgbOf(plain))).toBeLessThanOrEqual(1);
    }));

  test.each([
    ['a1111', '<lora:peft:0.7>', '<lora:absent:1>'],
    ['compel', 'withLora(peft, 0.7)', 'useLora(absent)'],
  ] as const)('can be in a prompt for %s', (syntax, mention, absent) =>
    withLoras({ peft }, async (sd) => {
      const { images } = await sd.generate({ ...settings, syntax, adapters: { peft: 0.7 } });
      const mentioned = await sd.generate({ ...settings, syntax, prompt: `${settings.prompt} ${mention} ${absent}` });
      expect(mentioned.images[0].data).toEqual(images[0].data);
      const both = { ...settings, syntax, prompt: `${settings.prompt} ${mention}` };
      const named = await sd.generate({ ...both, adapters: { peft: 0 } });
      const without = await sd.generate({ ...settings, syntax, adapters: { peft: 0 } });
      expect(named.images[0].data).toEqual(without.images[0].data);
      expect(mentioned.warnings).toEqual([
        {
          code: 'network-missing',
          message: 'The prompt names the lora absent, but no such network is attached. It has no effect.',
        },
      ]);
    }),
  );
});

test('a LoRA for another family is refused, and the pipeline is unchanged', () =>
  withLoras({}, async (sd) => {
    const [plain] = (await sd.generate(settings)).images;
    await expect(sd.attach(style('lora-sdxl'), { kind: 'lora' })).rejects.toThrow(
      'style.safetensors: is for another model: its tensor lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha is for a second text encoder, which this model does not have. The file is for Stable Diffusion XL.',
    );
    const [after] = (await sd.generate(settings)).images;
    expect(after.data).toEqual(plain.data);
  }));
