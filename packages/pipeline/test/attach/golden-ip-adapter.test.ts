import { readFile } from 'node:fs/promises';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { CheckpointError, type ImageEncoder } from '@sd/core';
import { loadImageEncoder } from '@sd/image-encoder';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { largestDifference, rgbOf } from '../../../image/test/support.js';
import { loadPipeline, type Pipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';
import { counting, sourceOf } from '../support.js';

const model = fixture('models/sd1');
const folder = fixture('adapters/ip-adapter');
const file = `${folder}/ip-adapter.safetensors`;
const image = await readFile(`${folder}/image.png`);
const { backend, counts } = counting(createNodeBackend({ threads: 1 }));
afterAll(() => backend.dispose());

const settings = { ...road, steps: 6, width: 96, height: 64 };

async function withPipeline(use: (sd: Pipeline) => Promise<void>, of = model): Promise<void> {
  const sd = await loadPipeline(of, { backend });
  try {
    await use(sd);
  } finally {
    await sd.dispose();
  }
}

/** Compares a run with diffusers': the latents after each step, and the image. */
async function compare(sd: Pipeline, figures: string, steps: number): Promise<void> {
  const golden = readGolden('golden.safetensors', fixture(figures));
  const request = { ...settings, steps, adapters: { 'ip-adapter': { image, strength: 0.6 } } };
  const { latents, colours } = await compareRun(sd, golden, 'run', request, { row: figures.replace('adapters/', '') });
  expect(latents).toBeLessThan(1e-4);
  expect(colours).toBeLessThanOrEqual(1);
}

describe('a whole run with an image as a prompt matches diffusers', () => {
  test('an IP-Adapter, with the image encoder next to it', () =>
    withPipeline(async (sd) => {
      expect(await sd.attach(file, { kind: 'ip-adapter' })).toMatchObject({ name: 'ip-adapter', kind: 'ip-adapter' });
      await compare(sd, 'adapters/ip-adapter', 6);
    }));

  test.each([
    ['Plus', 'adapters/ip-adapter-plus', 'ip-adapter-plus.safetensors', 'models/sd1', 6],
    ['for SDXL', 'adapters/ip-adapter-sdxl', 'ip-adapter.safetensors', 'models/sdxl', 4],
  ])('an IP-Adapter %s, with the caller’s image encoder', (_, figures, name, of, steps) =>
    withPipeline(async (sd) => {
      const imageEncoder = await loadImageEncoder({ source: await openFolder(folder), backend });
      await sd.attach(`${fixture(figures)}/${name}`, { name: 'ip-adapter', kind: 'ip-adapter', imageEncoder });
      await compare(sd, figures, steps);
      await imageEncoder.dispose?.();
    }, fixture(of)),
  );
});

test('without an image, or at strength 0, the result is as without the adapter', () =>
  withPipeline(async (sd) => {
    const [plain] = (await sd.generate(settings)).images;
    await sd.attach(file, { kind: 'ip-adapter', name: 'style' });
    const loaded = counts.loaded.length;
    for (const adapters of [undefined, {}, { style: undefined }, { style: { image, strength: 0 } }]) {
      const [again] = (await sd.generate({ ...settings, adapters })).images;
      expect(again.data).toEqual(plain.data);
    }
    // Only the models that read the image; the U-Net's session stays.
    expect(counts.loaded.slice(loaded).toSorted()).toEqual(['image_encoder', 'image_projection']);
  }));

test('without guidance the image acts too', () =>
  withPipeline(async (sd) => {
    await sd.attach(file, { kind: 'ip-adapter' });
    const unguided = { ...settings, guidanceScale: 1 };
    const adapters = { 'ip-adapter': { image } };
    const [plain] = (await sd.generate(unguided)).images;
    // A scale close to 1 evaluates both prompts and gives the positive one's result.
    const [prompted] = (await sd.generate({ ...unguided, adapters })).images;
    const [guided] = (await sd.generate({ ...settings, guidanceScale: 1 + 1e-9, adapters })).images;
    expect(prompted.data).not.toEqual(plain.data);
    expect(largestDifference(rgbOf(prompted), rgbOf(guided))).toBeLessThanOrEqual(1);
  }));

test('an image prompt is encoded once for all images and passes of a request, by an encoder that adapters can share', () =>
  withPipeline(async (sd) => {
    const loaded = await loadImageEncoder({ source: await openFolder(folder), backend });
    let encoded = 0;
    const imageEncoder: ImageEncoder = {
      ...loaded,
      encode(pixels, options) {
        encoded += 1;
        return loaded.encode(pixels, options);
      },
    };
    await sd.attach(file, { kind: 'ip-adapter', name: 'first', imageEncoder });
    await sd.attach(file, { kind: 'ip-adapter', name: 'second', imageEncoder });
    const request = { ...settings, steps: 1, count: 2 };
    const halves = { first: { image, strength: 0.3 }, second: { image, strength: 0.3 } };
    const both = await sd.generate({ ...request, adapters: halves });
    expect(encoded).toBe(2);
    const whole = await sd.generate({ ...request, adapters: { second: { image, strength: 0.6 } } });
    // A second pass has another size, but needs no second encoding.
    const upscale = { width: 128, height: 96, strength: 0.6, steps: 2 };
    encoded = 0;
    await sd.generate({ ...request, count: 1, upscale, adapters: { second: { image } } });
    expect(encoded).toBe(1);
    for (const i of [0, 1])
      expect(largestDifference(rgbOf(both.images[i]), rgbOf(whole.images[i]))).toBeLessThanOrEqual(1);
    await sd.detach('first');
    await sd.detach('second');
    // The caller's encoder is not disposed.
    await loaded.load?.();
    await loaded.dispose?.();
  }));

test('impossible settings are refused by name', () =>
  withPipeline(async (sd) => {
    await sd.attach(file, { kind: 'ip-adapter', name: 'style' });
    const refused = (option: string, style: object) =>
      expect(sd.generate({ ...settings, adapters: { style: style as never } })).rejects.toMatchObject({ option });
    await refused('adapters.style.image', { image: [] });
    await refused('adapters.style.image', {});
    await refused('adapters.style.end', { image, start: 0.5, end: 0.5 });
    await refused('adapters.style.start', { image, start: 2 });
    await refused('adapters.style.guess', { image, guess: true });
    await refused('adapters.style.0', [{ image }]);
  }));

describe('attach refuses', () => {
  test('an IP-Adapter without its image encoder, and says what to do', () =>
    withPipeline(async (sd) => {
      const alone = sourceOf(new Map([['ip-adapter.safetensors', await readFile(file)]]));
      const attached = sd.attach(alone, { kind: 'ip-adapter', path: 'ip-adapter.safetensors', name: 'a' });
      await expect(attached).rejects.toMatchObject({ code: 'not-found', path: 'image_encoder/config.json' });
      await expect(attached).rejects.toThrow(/the option imageEncoder/);
      expect(sd.attached).toEqual([]);
    }));

  test('an IP-Adapter of another family, by its first tensor that does not fit', async () => {
    const sd = await loadPipeline(fixture('models/sd2'), { backend });
    const error = await sd.attach(file, { kind: 'ip-adapter' }).catch((reason: unknown) => reason);
    await sd.dispose();
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ tensor: expect.stringMatching(/^ip_adapter\.\d+\.to_[kv]_ip\.weight$/) });
  });
});
