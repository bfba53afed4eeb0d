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

/** Compares a run of so many steps, latents after each, with that of diffusers. */
async function compare(sd: Pipeline, figures: string, steps: number): Promise<void> {
  const want = readGolden('golden.safetensors', fixture(figures));
  const request = { ...settings, steps, adapters: { 'ip-adapter': { image, strength: 0.6 } } };
  const { latents, colours } = await compareRun(sd, want, 'run', request, { row: figures.replace('adapters/', '') });
  expect(latents).toBeLessThan(1e-4);
  expect(colours).toBeLessThanOrEqual(1);
}

describe('a whole run with a picture as a prompt is that of diffusers', () => {
  test('an IP-Adapter, with the image encoder beside it', () =>
    withPipeline(async (sd) => {
      expect(await sd.attach(file, { kind: 'ip-adapter' })).toMatchObject({ name: 'ip-adapter', kind: 'ip-adapter' });
      await compare(sd, 'adapters/ip-adapter', 6);
    }));

  test.each([
    ['Plus', 'adapters/ip-adapter-plus', 'ip-adapter-plus.safetensors', 'models/sd1', 6],
    ['for SDXL', 'adapters/ip-adapter-sdxl', 'ip-adapter.safetensors', 'models/sdxl', 4],
  ])('an IP-Adapter %s, with an image encoder of the caller’s', (_, figures, name, of, steps) =>
    withPipeline(async (sd) => {
      const imageEncoder = await loadImageEncoder({ source: await openFolder(folder), backend });
      await sd.attach(`${fixture(figures)}/${name}`, { name: 'ip-adapter', kind: 'ip-adapter', imageEncoder });
      await compare(sd, figures, steps);
      await imageEncoder.dispose?.();
    }, fixture(of)),
  );
});

test('without a picture, or at strength 0, the model draws as without the adapter', () =>
  withPipeline(async (sd) => {
    const [plain] = (await sd.generate(settings)).images;
    await sd.attach(file, { kind: 'ip-adapter', name: 'style' });
    const loaded = counts.loaded.length;
    for (const adapters of [undefined, {}, { style: undefined }, { style: { image, strength: 0 } }]) {
      const [again] = (await sd.generate({ ...settings, adapters })).images;
      expect(again!.data).toEqual(plain!.data);
    }
    // The picture's own models; the U-Net's session stays.
    expect(counts.loaded.slice(loaded).toSorted()).toEqual(['image_encoder', 'image_projection']);
  }));

test('without guidance the prompt hears the picture too', () =>
  withPipeline(async (sd) => {
    await sd.attach(file, { kind: 'ip-adapter' });
    const drawn = { ...settings, guidanceScale: 1 };
    const adapters = { 'ip-adapter': { image } };
    const [plain] = (await sd.generate(drawn)).images;
    // A scale next to 1 asks for both prompts, and gives what the positive one says.
    const [heard] = (await sd.generate({ ...drawn, adapters })).images;
    const [guided] = (await sd.generate({ ...settings, guidanceScale: 1 + 1e-9, adapters })).images;
    expect(heard!.data).not.toEqual(plain!.data);
    expect(largestDifference(rgbOf(heard!), rgbOf(guided!))).toBeLessThanOrEqual(1);
  }));

test('a picture is encoded once for all of a request’s pictures and passes, by an encoder that adapters may share', () =>
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
    await sd.attach(file, { kind: 'ip-adapter', name: 'one', imageEncoder });
    await sd.attach(file, { kind: 'ip-adapter', name: 'two', imageEncoder });
    const request = { ...settings, steps: 1, count: 2 };
    const halves = { one: { image, strength: 0.3 }, two: { image, strength: 0.3 } };
    const both = await sd.generate({ ...request, adapters: halves });
    expect(encoded).toBe(2);
    const whole = await sd.generate({ ...request, adapters: { two: { image, strength: 0.6 } } });
    // Neither is it for a second pass, which is of another size.
    const upscale = { width: 128, height: 96, strength: 0.6, steps: 2 };
    encoded = 0;
    await sd.generate({ ...request, count: 1, upscale, adapters: { two: { image } } });
    expect(encoded).toBe(1);
    for (const i of [0, 1])
      expect(largestDifference(rgbOf(both.images[i]!), rgbOf(whole.images[i]!))).toBeLessThanOrEqual(1);
    await sd.detach('one');
    await sd.detach('two');
    // It stays the caller's.
    await loaded.load?.();
    await loaded.dispose?.();
  }));

test('settings that cannot be are refused by name', () =>
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
    const error = await sd.attach(file, { kind: 'ip-adapter' }).catch((e: unknown) => e);
    await sd.dispose();
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ tensor: expect.stringMatching(/^ip_adapter\.\d+\.to_[kv]_ip\.weight$/) });
  });
});
