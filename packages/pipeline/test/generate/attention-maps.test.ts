import { readFile } from 'node:fs/promises';
import { UnsupportedError } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, sd1 } from '../../../../fixtures/golden.js';
import { largestDifference } from '../../../image/test/support.js';
import {
  type AttentionMap,
  createPipeline,
  type GenerateOptions,
  loadPipeline,
  type Pipeline,
} from '../../src/index.js';
import { road, using } from '../support.js';

const run = { prompt: 'a blue car on a road', negativePrompt: 'pixel art', width: 96, height: 64, steps: 6, seed: 42 };

/** The values of maps, one after the other. */
const valuesOf = (maps: readonly AttentionMap[]) => Float32Array.from(maps.flatMap(({ data }) => [...data]));

async function mapsOf(sd: Pipeline, options: Partial<GenerateOptions> = {}): Promise<readonly AttentionMap[]> {
  const { attentionMaps = [] } = await sd.generate({ ...run, attentionMaps: true, ...options });
  expect(attentionMaps).toHaveLength(1);
  return attentionMaps[0];
}

describe.each([
  ['sd1', {}],
  ['sd2', { guidanceRescale: 0.7 }],
  ['sdxl', { guidanceScale: 7.5 }],
])('the maps of %s are those of diffusers', (model, options) => {
  const golden = readGolden('attention-maps.safetensors', fixture(`models/${model}`));
  let sd: Pipeline;
  beforeAll(async () => {
    sd = await loadPipeline(fixture(`models/${model}`));
    return () => sd.dispose();
  });

  test('over all steps and layers', async () => {
    const maps = await mapsOf(sd, options);
    expect(maps.map(({ word, index, prompt, width, height }) => [word, index, prompt, width, height])).toEqual(
      ['a', 'blue', 'car', 'on', 'a', 'road'].map((word, i) => [word, i, 0, 12, 8]),
    );
    expect(largestDifference(valuesOf(maps), golden('maps').data)).toBeLessThan(1e-5);
  });

  test('over some steps, or in one layer', async () => {
    const ofSteps = await mapsOf(sd, { ...options, attentionMaps: { steps: [1, 4] } });
    expect(largestDifference(valuesOf(ofSteps), golden('maps.steps').data)).toBeLessThan(1e-5);
    const ofLayer = await mapsOf(sd, { ...options, attentionMaps: { layers: ['mid_block'], words: ['CAR', 'road'] } });
    expect(ofLayer.map(({ word }) => word)).toEqual(['car', 'road']);
    const want = golden('maps.mid').data;
    expect(largestDifference(ofLayer[0].data, want.subarray(2 * 96, 3 * 96))).toBeLessThan(1e-5);
    expect(largestDifference(ofLayer[1].data, want.subarray(5 * 96))).toBeLessThan(1e-5);
  });
});

describe('in every run', () => {
  const golden = readGolden('attention-maps.safetensors');
  let sd: Pipeline;
  beforeAll(async () => {
    sd = await loadPipeline(sd1);
  });
  afterAll(() => sd.dispose());

  test('latents of 9 x 7', async () => {
    const maps = await mapsOf(sd, { width: 56, height: 72 });
    expect(largestDifference(valuesOf(maps), golden('maps.odd').data)).toBeLessThan(1e-5);
  });

  test('a weighted prompt of two windows', async () => {
    const prompt = 'a (blue:1.4) car BREAK (small cats:0.8) on a road';
    const maps = await mapsOf(sd, { prompt, syntax: 'a1111' });
    expect(maps.map(({ word }) => word).join(' ')).toBe('a blue car small cats on a road');
    expect(largestDifference(valuesOf(maps), golden('maps.windows').data)).toBeLessThan(1e-5);
  });

  test('a short prompt next to a longer negative one: its copies share the attention', async () => {
    const negativePrompt = 'pixel art BREAK snow';
    const maps = await mapsOf(sd, { negativePrompt, syntax: 'a1111', attentionMaps: { steps: [0], words: ['car'] } });
    const alone = await mapsOf(sd, { guidanceScale: 1, attentionMaps: { steps: [0], words: ['car'] } });
    expect(largestDifference(valuesOf(maps), valuesOf(alone))).toBeLessThan(1e-6);
  });

  test('prompts that are composed, and that change over the steps', async () => {
    const composed = await mapsOf(sd, { prompt: [{ text: 'a car' }, { text: 'snow', weight: 0.5 }] });
    expect(composed.map(({ word, index, prompt }) => [word, index, prompt])).toEqual([
      ['a', 0, 0],
      ['car', 1, 0],
      ['snow', 0, 1],
    ]);
    const changing = await mapsOf(sd, { prompt: 'a [cat:dog:0.5] here', syntax: 'a1111' });
    expect(changing.map(({ word }) => word)).toEqual(['a', 'cat', 'dog', 'here']);
    const late = await mapsOf(sd, { prompt: 'a [cat:dog:0.5]', syntax: 'a1111', attentionMaps: { steps: [5] } });
    expect(late.map(({ word }) => word)).toEqual(['a', 'dog']);
  });

  test('the images stay the same to the last bit, also in later runs without maps', async () => {
    const [before, during, after] = await using(loadPipeline(sd1), async (fresh) => [
      await fresh.generate(run),
      await fresh.generate({ ...run, attentionMaps: true }),
      await fresh.generate({ ...run, attentionMaps: false }),
    ]);
    expect(during.images[0].data).toEqual(before.images[0].data);
    expect(after.images[0].data).toEqual(before.images[0].data);
    expect([before.attentionMaps, after.attentionMaps]).toEqual([undefined, undefined]);
  });

  test('several images, each with its own maps, which its event has too', async () => {
    const ofEvents: unknown[] = [];
    const stream = sd.stream({ ...run, steps: 2, count: 2, attentionMaps: true });
    let next = await stream.next();
    for (; next.done !== true; next = await stream.next()) {
      if (next.value.type === 'image') ofEvents.push(next.value.attentionMaps);
    }
    const { attentionMaps = [] } = next.value;
    expect(attentionMaps).toHaveLength(2);
    expect(ofEvents).toEqual(attentionMaps);
    expect(valuesOf(attentionMaps[0])).not.toEqual(valuesOf(attentionMaps[1]));
  });

  test('a second pass: maps of the size of the finished latents', async () => {
    const options = { steps: 3, upscale: { factor: 2, strength: 0.7 } };
    const [both, second] = [
      await mapsOf(sd, options),
      await mapsOf(sd, { ...options, attentionMaps: { steps: [4], words: ['car'] } }),
    ];
    expect(both.map(({ width, height }) => [width, height])).toEqual(Array(6).fill([24, 16]));
    expect([second[0].width, second[0].data.length]).toEqual([24, 24 * 16]);
  });

  test('from an image, and as latents', async () => {
    const { images } = await sd.generate({ ...run, steps: 2 });
    const maps = await mapsOf(sd, { image: images[0], strength: 0.5, output: 'latents' });
    expect(maps).toHaveLength(6);
  });

  test('with adapters, attached before or after', async () => {
    const lora = fixture('adapters/lora-peft');
    const attach = (pipeline: Pipeline) => pipeline.attach(lora, { name: 'style' });
    const plain = await mapsOf(sd);
    await attach(sd);
    const after = await mapsOf(sd);
    await sd.detach('style');
    expect(await mapsOf(sd)).toEqual(plain);
    const before = await using(loadPipeline(sd1), async (fresh) => {
      await attach(fresh);
      return mapsOf(fresh);
    });
    expect(before).toEqual(after);
    expect(valuesOf(before)).not.toEqual(valuesOf(plain));
    expect(sd.attached).toEqual([]);
  });

  test('next to a ControlNet and an IP-Adapter, whose images stay the same too', () =>
    using(loadPipeline(sd1), async (fresh) => {
      const folder = fixture('adapters/ip-adapter');
      const image = await readFile(`${folder}/image.png`);
      await fresh.attach(`${folder}/ip-adapter.safetensors`, { kind: 'ip-adapter', name: 'look' });
      await fresh.attach(`${fixture('adapters/controlnet')}/canny`, { name: 'edges' });
      const options = {
        ...run,
        steps: 2,
        adapters: { look: { image, strength: 0.6 }, edges: { image, strength: 0.8 } },
      };
      const before = await fresh.generate(options);
      const { images, attentionMaps } = await fresh.generate({ ...options, attentionMaps: true });
      expect(images[0].data).toEqual(before.images[0].data);
      expect(valuesOf(attentionMaps![0])).not.toEqual(valuesOf(await mapsOf(fresh, { steps: 2 })));
    }));

  test.each([
    [{ steps: [7] }, 'attentionMaps.steps: has 7, but the steps of this run are 0 to 6.'],
    [{ steps: [] }, 'attentionMaps.steps: must be a list that is not empty'],
    [{ steps: [0.5] }, 'attentionMaps.steps[0]: must be a whole number'],
    [{ layers: ['down_blocks.1'] }, 'It has some in down_blocks.0, mid_block, up_blocks.1.'],
    [{ words: ['cat'] }, 'attentionMaps.words: has "cat", which is not in the prompt. It has a, blue, car, on, road.'],
    ['all', 'attentionMaps: must be true, false or { steps, layers, words }'],
    [{ heads: [1] }, 'attentionMaps.heads: is not an option of attentionMaps.'],
  ])('refuses %j', async (attentionMaps, message) => {
    const generating = sd.generate({ ...run, attentionMaps: attentionMaps as never });
    await expect(generating).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringContaining(message),
    });
  });
});

describe('is unsupported', () => {
  const refused = async (sd: Pipeline) => {
    await expect(sd.generate({ ...road, attentionMaps: true })).rejects.toThrow(UnsupportedError);
    expect((await sd.generate(road)).images).toHaveLength(1);
  };

  test.each(['sd3', 'sd1-onnx'])('by %s', (model) => using(loadPipeline(fixture(`models/${model}`)), refused));

  test('by custom stages', () =>
    using(loadPipeline(sd1), async ({ stages }) => {
      const { inChannels, outChannels, sampleSize, predict } = stages.noisePredictor;
      await refused(createPipeline({ ...stages, noisePredictor: { inChannels, outChannels, sampleSize, predict } }));
      const [{ textEncoder, tokenizer }] = stages.textEncoders;
      const { maxLength, encode } = tokenizer;
      await refused(createPipeline({ ...stages, textEncoders: [{ textEncoder, tokenizer: { maxLength, encode } }] }));
    }));
});
