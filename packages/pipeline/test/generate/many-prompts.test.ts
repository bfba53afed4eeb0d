import { encodeImage, readParameters } from '@sd/image';
import { expect, test } from 'vitest';
import { createPipeline, type PipelineEvent } from '../../src/index.js';
import { mockStages, road } from '../support.js';

const refused = (option: string) => expect.objectContaining({ code: 'invalid-option', option });

test('a list of prompts is drawn in order, each as if alone with its seed', async () => {
  const sd = createPipeline(mockStages());
  const { images, seeds } = await sd.generate({ ...road, prompt: ['a lake', 'a hill'], count: 2, seed: 5 });
  expect(seeds).toEqual([5, 6, 7, 8]);
  expect(images.map(({ parameters }) => parameters!.prompt)).toEqual(['a lake', 'a lake', 'a hill', 'a hill']);
  expect(images.map(({ parameters }) => parameters!.settings!.Seed)).toEqual([5, 6, 7, 8]);
  const alone = await sd.generate({ ...road, prompt: 'a hill', seed: 8 });
  expect(images[3].data).toEqual(alone.images[0].data);
});

test('its events have indices that go on, and one end', async () => {
  const sd = createPipeline(mockStages());
  const events: PipelineEvent[] = [];
  for await (const event of sd.stream({ ...road, prompt: ['a', 'b'], steps: 1, seed: 3n })) events.push(event);
  expect(events.map((event) => ('index' in event ? `${event.type} ${event.index}` : event.type))).toEqual([
    ...['encode', 'step 0', 'image 0', 'encode', 'step 1', 'image 1', 'done'],
  ]);
  expect(events.at(-1)).toMatchObject({ seeds: [3n, 4n], warnings: [], timings: {} });
});

test('latents of all prompts are stacked; variations share the seed', async () => {
  const sd = createPipeline(mockStages());
  const { latents } = await sd.generate({ ...road, prompt: ['a', 'b', 'c'], output: 'latents' });
  expect(latents!.dims[0]).toBe(3);
  const varied = { ...road, prompt: ['a', 'b'], seed: 5, variationSeed: 9, variationStrength: 0.1 };
  expect(await sd.generate(varied)).toMatchObject({ seeds: [5, 5], variationSeeds: [9, 10] });
});

test('a list that is empty, mixed or too long is refused before anything is drawn', async () => {
  const sd = createPipeline(mockStages());
  for (const prompt of [[], Array<string>(10_001).fill('a')]) {
    await expect(sd.generate({ ...road, prompt })).rejects.toEqual(refused('prompt'));
  }
  await expect(sd.generate({ ...road, prompt: ['a', 1] as never })).rejects.toMatchObject({ code: 'invalid-option' });
  await expect(sd.generate({ ...road, prompt: ['a', 'b'.repeat(100_001)] })).rejects.toEqual(refused('prompt[1]'));
});

test('the settings of an image draw it again; other options come before them', async () => {
  const sd = createPipeline(mockStages());
  const { images } = await sd.generate({ ...road, steps: 3, seed: 11, negativePrompt: 'snow' });
  const kept = (await readParameters(
    await encodeImage(images[0], { format: 'webp', parameters: images[0].parameters }),
  ))!;
  const { Sampler, ...settings } = kept.settings;
  expect(Sampler).toBeDefined();
  const again = await sd.generate({ ...kept, settings });
  expect(again.images[0].data).toEqual(images[0].data);
  expect(await sd.generate({ ...kept, settings, seed: 12, count: 2 })).toMatchObject({ seeds: [12, 13] });
  await expect(sd.generate({ ...road, settings: { Steps: 3 } as never })).rejects.toEqual(refused('settings'));
});
