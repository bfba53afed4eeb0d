import { createNodeBackend } from '@sd/backend-node';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { loadPipeline, type Pipeline } from '../src/index.js';
import { counting, largestDifference, rgbOf, rgbOfUnit } from './support.js';

const { backend, counts } = counting(createNodeBackend({ threads: 1 }));
afterAll(() => backend.dispose());

const files: Readonly<Record<string, string>> = {
  peft: `${fixture('adapters/lora-peft')}/pytorch_lora_weights.safetensors`,
  kohya: `${fixture('adapters/lora-kohya')}/style.safetensors`,
};

const settings = {
  prompt: 'a blue car on a road',
  negativePrompt: 'pixel art',
  guidanceScale: 7.5,
  steps: 6,
  width: 96,
  height: 64,
  seed: 42,
};

async function withLoras(names: readonly string[], use: (sd: Pipeline) => Promise<void>): Promise<void> {
  const sd = await loadPipeline(fixture('models/sd1'), { backend });
  try {
    for (const name of names) await sd.attach(files[name]!, { kind: 'lora', name });
    await use(sd);
  } finally {
    await sd.dispose();
  }
}

describe('a whole run is that of diffusers', () => {
  test.each([
    ['lora-peft', { peft: 0.7 }],
    ['lora-kohya', { kohya: 0.7 }],
    ['lora-both', { peft: 0.7, kohya: 0.5 }],
  ] as const)('%s', (folder, loras) =>
    withLoras(Object.keys(loras), async (sd) => {
      const want = readGolden('golden.safetensors', fixture(`adapters/${folder}`));
      const latents: number[] = [];
      const { images } = await sd.generate({
        ...settings,
        loras,
        onStep: ({ step, latents: { data } }) =>
          void latents.push(relativeError(data, want(`run.latents.${step}`).data)),
      });
      // PNDM takes one step more than it is asked for.
      expect(latents).toHaveLength(7);
      expect(Math.max(...latents)).toBeLessThan(1e-3);
      expect(largestDifference(rgbOf(images[0]!), rgbOfUnit(want('run.image')))).toBeLessThanOrEqual(1);
    }),
  );
});

describe('a strength', () => {
  test('changes from run to run, and over the steps, without another session', () =>
    withLoras(['peft', 'kohya'], async (sd) => {
      const want = readGolden('golden.safetensors', fixture('adapters/lora-peft'));
      await sd.generate({ ...settings, steps: 1 });
      const { length } = counts.loaded;
      const latents: number[] = [];
      await sd.generate({
        ...settings,
        loras: { peft: { unet: (progress) => (progress >= 0 ? 0.7 : 1), textEncoder: 0.7 }, kohya: 0 },
        onStep: ({ step, latents: { data } }) =>
          void latents.push(relativeError(data, want(`run.latents.${step}`).data)),
      });
      expect(Math.max(...latents)).toBeLessThan(1e-3);
      expect(counts.loaded).toHaveLength(length);
    }));

  test('of 0 draws as without the LoRA', () =>
    withLoras(['peft'], async (sd) => {
      const [none] = (await sd.generate({ ...settings, loras: { peft: 0 } })).images;
      await sd.detach('peft');
      const [plain] = (await sd.generate(settings)).images;
      expect(largestDifference(rgbOf(none!), rgbOf(plain!))).toBeLessThanOrEqual(1);
    }));
});
