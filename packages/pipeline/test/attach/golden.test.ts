import { readFile } from 'node:fs/promises';
import type { ControlNetSettings } from '@sd/adapters';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import type { Source } from '@sd/core';
import { schedulerFromConfig } from '@sd/scheduler';
import { openSafetensors, writeSafetensors } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { measured } from '../../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { largestDifference, rgbOf } from '../../../image/test/support.js';
import { type GenerateOptions, type LoadPipelineOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { compareRun } from '../start-support.js';
import { rgbOfUnit, sourceOf } from '../support.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const settings: GenerateOptions = {
  prompt: 'a blue car on a road',
  negativePrompt: 'pixel art',
  guidanceScale: 7.5,
  steps: 6,
  width: 96,
  height: 64,
  seed: 42,
};

const adapters = (name: string) => fixture(`adapters/${name}`);

interface Run {
  readonly name: string;
  /** Row of the table in the docs. */
  readonly row: string;
  /** Folder of the reference figures, their file, and the prefix of their names. */
  readonly figures: string;
  readonly file?: string;
  readonly prefix?: string;
  readonly model?: string;
  readonly load?: LoadPipelineOptions;
  /** The figures of a T2I-Adapter lack the scheduler's first step, which only warms up. */
  readonly skipped?: number;
  attach(sd: Pipeline): Promise<unknown>;
  options?(): Promise<Partial<GenerateOptions>> | Partial<GenerateOptions>;
}

/** Settings of a ControlNet, with the image in a file. */
const control = async (file: string, strength: number, rest: Partial<ControlNetSettings> = {}) => ({
  image: await readFile(`${adapters('controlnet')}/${file}.png`),
  strength,
  ...rest,
});

const runs: Run[] = [
  ...['hypernetwork', 'hypernetwork-norm'].map((name) => ({
    name,
    row: name,
    figures: adapters(name),
    attach: (sd: Pipeline) => sd.attach(`${adapters(name)}/${name}.pt`),
    options: () => ({ adapters: { [name]: 0.8 } }),
  })),
  ...['learned_embeds.safetensors', 'blob.safetensors', 'blob.pt'].map((file) => ({
    name: `textual inversion, ${file}`,
    row: `textual-inversion-${file}`,
    figures: adapters('textual-inversion'),
    attach: (sd: Pipeline) => sd.attach(`${adapters('textual-inversion')}/${file}`),
    options: () => ({ prompt: file.startsWith('learned') ? 'a <blob> on a road' : 'a blob on a road' }),
  })),
  {
    name: 'a ControlNet',
    row: 'controlnet',
    figures: adapters('controlnet'),
    prefix: 'one.',
    attach: (sd) => sd.attach(`${adapters('controlnet')}/canny`),
    options: async () => ({ adapters: { canny: await control('canny', 0.8) } }),
  },
  {
    name: 'a ControlNet from 0.2 to 0.7 of the calls, two per step with Heun',
    row: 'controlnet-part',
    figures: adapters('controlnet'),
    file: 'heun.safetensors',
    attach: (sd) => sd.attach(`${adapters('controlnet')}/canny`),
    options: async () => ({
      scheduler: 'HeunDiscreteScheduler',
      adapters: { canny: await control('canny', 0.8, { start: 0.2, end: 0.7 }) },
    }),
  },
  {
    name: 'a ControlNet in guess mode',
    row: 'controlnet-guess',
    figures: adapters('controlnet'),
    prefix: 'guess.',
    attach: (sd) => sd.attach(`${adapters('controlnet')}/canny`),
    options: async () => ({ adapters: { canny: await control('canny', 0.8, { guess: true }) } }),
  },
  {
    name: 'two ControlNets, one of them in the first half only',
    row: 'controlnet-two',
    figures: adapters('controlnet'),
    prefix: 'two.',
    async attach(sd) {
      await sd.attach(`${adapters('controlnet')}/canny`);
      await sd.attach(`${adapters('controlnet')}/depth`);
    },
    options: async () => ({
      adapters: { canny: await control('canny', 0.7), depth: await control('depth', 0.4, { end: 0.5 }) },
    }),
  },
  {
    name: 'a ControlNet of SDXL',
    row: 'controlnet-sdxl',
    figures: adapters('controlnet-sdxl'),
    model: 'sdxl',
    attach: (sd) => sd.attach(adapters('controlnet-sdxl')),
    options: async () => ({
      steps: 4,
      adapters: {
        'controlnet-sdxl': { image: await readFile(`${adapters('controlnet-sdxl')}/image.png`), strength: 0.8 },
      },
    }),
  },
  {
    name: 'a T2I-Adapter',
    row: 't2i-adapter',
    figures: adapters('t2i-adapter'),
    skipped: 1,
    attach: (sd) => sd.attach(adapters('t2i-adapter')),
    options: async () => ({
      adapters: { 't2i-adapter': { image: await readFile(`${adapters('t2i-adapter')}/image.png`), strength: 0.8 } },
    }),
  },
  {
    name: 'a T2I-Adapter of SDXL, in the first half',
    row: 't2i-adapter-sdxl',
    figures: adapters('t2i-adapter-sdxl'),
    model: 'sdxl',
    load: { components: { unet: `${adapters('t2i-adapter-sdxl')}/unet` } },
    attach: (sd) => sd.attach(adapters('t2i-adapter-sdxl')),
    options: async () => ({
      steps: 4,
      adapters: {
        't2i-adapter-sdxl': {
          image: await readFile(`${adapters('t2i-adapter-sdxl')}/image.png`),
          strength: 0.8,
          end: 0.5,
        },
      },
    }),
  },
];

describe('a whole run with adapters matches diffusers', () => {
  test.each(runs)(
    '$name',
    async ({
      row,
      figures,
      file = 'golden.safetensors',
      prefix = '',
      model = 'sd1',
      load = {},
      skipped = 0,
      attach,
      options,
    }) => {
      const sd = await loadPipeline(fixture(`models/${model}`), { ...load, backend });
      try {
        await attach(sd);
        const golden = readGolden(file, figures);
        const run = { ...settings, ...(await options?.()) };
        const { latents, colours } = await compareRun(sd, golden, `${prefix}run`, run, { row, skipped });
        expect(latents).toBeLessThan(1e-3);
        expect(colours).toBeLessThanOrEqual(1);
      } finally {
        await sd.dispose();
      }
    },
  );

  test.each(['diffusers', 'AnimateDiff'])('a clip, with the tensor names of %s', async (names) => {
    const folder = adapters('animatediff');
    const golden = readGolden('golden.safetensors', folder);
    const config = JSON.parse(await readFile(`${folder}/scheduler/scheduler_config.json`, 'utf8'));
    const sd = await loadPipeline(fixture('models/sd1'), { backend });
    try {
      if (names === 'diffusers') await sd.attach(`${folder}/motion`, { name: 'motion' });
      else await sd.attach(await withOriginalNames(`${folder}/motion`), { path: 'mm.safetensors', name: 'motion' });
      const latents: number[] = [];
      const { images } = await sd.generate({
        ...settings,
        adapters: { motion: { frames: 4 } },
        scheduler: schedulerFromConfig(config),
        onStep: ({ step, latents: { data } }) =>
          void latents.push(largestDifference(data, golden(`run.latents.${step}`).data)),
      });
      expect(images).toHaveLength(4);
      const { data } = golden('run.image');
      const size = data.length / images.length;
      const colours = images.map((image, i) => {
        const frame = { type: 'float32', dims: [1, 3, 64, 96], data: data.slice(i * size, (i + 1) * size) } as const;
        return largestDifference(rgbOf(image), rgbOfUnit(frame));
      });
      const largest = { latents: Math.max(...latents), colours: Math.max(...colours) };
      measured(`motion-adapter-${names}`, largest);
      expect(largest.latents).toBeLessThan(1e-3);
      expect(largest.colours).toBeLessThanOrEqual(1);
    } finally {
      await sd.dispose();
    }
  });
});

/** A motion adapter with the original AnimateDiff tensor names, and its config. */
async function withOriginalNames(folder: string): Promise<Source> {
  const source = await openFolder(folder);
  const file = 'diffusion_pytorch_model.safetensors';
  const { tensors } = await openSafetensors(source, file);
  const bytes = await source.read(file);
  const renamed = [...tensors.values()].map(({ name, dtype, shape, offset, length }) => ({
    name: name
      .replace(/motion_modules\.(\d+)\./, 'motion_modules.$1.temporal_transformer.')
      .replace(/\.norm([12])\b/, (_, number) => `.norms.${number - 1}`)
      .replace('.norm3', '.ff_norm')
      .replace(/\.attn([12])\b/, (_, number) => `.attention_blocks.${number - 1}`)
      .replace('.pos_embed.pe', '.attention_blocks.0.pos_encoder.pe'),
    dtype,
    shape,
    bytes: () => bytes.subarray(offset, offset + length),
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(renamed)) chunks.push(chunk);
  const files: [string, Uint8Array][] = [
    ['mm.safetensors', Buffer.concat(chunks)],
    ['config.json', await source.read('config.json')],
  ];
  return sourceOf(new Map(files));
}
