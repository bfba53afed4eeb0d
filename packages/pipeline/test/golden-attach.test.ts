import { readFile } from 'node:fs/promises';
import { createNodeBackend } from '@sd/backend-node';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import type { LoadPipelineOptions } from '../src/index.js';
import { type GenerateOptions, loadPipeline, type Pipeline } from '../src/index.js';
import { largestDifference, rgbOf, rgbOfUnit } from './support.js';

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
  /** Folder of the figures, and what their names begin with. */
  readonly figures: string;
  readonly prefix?: string;
  readonly model?: string;
  readonly load?: LoadPipelineOptions;
  attach(sd: Pipeline): Promise<unknown>;
  options?(): Promise<Partial<GenerateOptions>> | Partial<GenerateOptions>;
}

const controlled = async (...entries: [name: string, picture: string, strength: number, end?: number][]) => ({
  controls: await Promise.all(
    entries.map(async ([name, picture, strength, end = 1]) => ({
      name,
      image: await readFile(`${adapters('controlnet')}/${picture}.png`),
      strength,
      end,
    })),
  ),
});

const runs: Run[] = [
  ...['hypernetwork', 'hypernetwork-norm'].map((name) => ({
    name,
    figures: adapters(name),
    attach: (sd: Pipeline) => sd.attach(`${adapters(name)}/${name}.pt`),
    options: () => ({ hypernetworks: { [name]: 0.8 } }),
  })),
  ...['learned_embeds.safetensors', 'blob.safetensors', 'blob.pt'].map((file) => ({
    name: `textual inversion, ${file}`,
    figures: adapters('textual-inversion'),
    attach: (sd: Pipeline) => sd.attach(`${adapters('textual-inversion')}/${file}`),
    options: () => ({ prompt: file.startsWith('learned') ? 'a <blob> on a road' : 'a blob on a road' }),
  })),
  {
    name: 'a ControlNet',
    figures: adapters('controlnet'),
    prefix: 'one.',
    attach: (sd) => sd.attach(`${adapters('controlnet')}/canny`),
    options: () => controlled(['canny', 'canny', 0.8]),
  },
  {
    name: 'a ControlNet that guesses',
    figures: adapters('controlnet'),
    prefix: 'guess.',
    attach: (sd) => sd.attach(`${adapters('controlnet')}/canny`),
    options: async () => ({
      controls: (await controlled(['canny', 'canny', 0.8])).controls.map((control) => ({ ...control, guess: true })),
    }),
  },
  {
    name: 'two ControlNets, one of them in the first half only',
    figures: adapters('controlnet'),
    prefix: 'two.',
    async attach(sd) {
      await sd.attach(`${adapters('controlnet')}/canny`);
      await sd.attach(`${adapters('controlnet')}/depth`);
    },
    options: () => controlled(['canny', 'canny', 0.7], ['depth', 'depth', 0.4, 0.5]),
  },
];

describe('a whole run with what is attached is that of diffusers', () => {
  test.each(runs)('$name', async ({ figures, prefix = '', model = 'sd1', load = {}, attach, options }) => {
    const want = readGolden('golden.safetensors', figures);
    const sd = await loadPipeline(fixture(`models/${model}`), { ...load, backend });
    try {
      await attach(sd);
      const latents: number[] = [];
      const { images } = await sd.generate({
        ...settings,
        ...(await options?.()),
        onStep: ({ step, latents: { data } }) =>
          void latents.push(relativeError(data, want(`${prefix}run.latents.${step}`).data)),
      });
      expect(Math.max(...latents)).toBeLessThan(1e-4);
      expect(largestDifference(rgbOf(images[0]!), rgbOfUnit(want(`${prefix}run.image`)))).toBeLessThanOrEqual(1);
    } finally {
      await sd.dispose();
    }
  });

  test('a clip', async () => {
    const folder = adapters('animatediff');
    const want = readGolden('golden.safetensors', folder);
    const sd = await loadPipeline(fixture('models/sd1'), { backend });
    try {
      await sd.attach(`${folder}/motion`);
      const latents: number[] = [];
      const config = JSON.parse(await readFile(`${folder}/scheduler/scheduler_config.json`, 'utf8'));
      const { schedulerFromConfig } = await import('@sd/scheduler');
      const { images } = await sd.generate({
        ...settings,
        frames: 4,
        scheduler: schedulerFromConfig(config),
        onStep: ({ step, latents: { data } }) =>
          void latents.push(relativeError(data, want(`run.latents.${step}`).data)),
      });
      expect(Math.max(...latents)).toBeLessThan(1e-4);
      expect(images).toHaveLength(4);
      const pixels = want('run.image').data;
      images.forEach((image, i) => {
        const size = pixels.length / 4;
        const frame = { type: 'float32' as const, dims: [1, 3, 64, 96], data: pixels.slice(i * size, (i + 1) * size) };
        expect(largestDifference(rgbOf(image), rgbOfUnit(frame))).toBeLessThanOrEqual(1);
      });
    } finally {
      await sd.dispose();
    }
  });
});
