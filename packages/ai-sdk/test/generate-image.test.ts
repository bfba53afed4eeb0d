import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodePng, readImage, readParameters } from '@sd/image';
import { loadPipeline } from '@sd/pipeline';
import { createProviderRegistry, generateImage } from 'ai';
import { afterAll, describe, expect, it } from 'vitest';
import { createSd, sd } from '../src/index.js';

globalThis.AI_SDK_LOG_WARNINGS = false;
const quick = { sd: { steps: 2, guidanceScale: 1 } };
afterAll(() => sd.dispose());

/** A PNG file of one colour, whose left half may have another alpha. */
const file = ([red, green, blue]: number[], leftAlpha = 255) => {
  const data = Uint8ClampedArray.from({ length: 128 * 128 * 4 }, (_, i) => {
    const isLeft = Math.floor(i / 4) % 128 < 64;
    return [red, green, blue, isLeft ? leftAlpha : 255][i % 4];
  });
  return encodePng({ width: 128, height: 128, data });
};

describe("the AI SDK's generateImage", () => {
  it('draws what generate() draws, with its metadata and no warnings', async () => {
    const { images, warnings, providerMetadata, responses } = await generateImage({
      model: sd(),
      prompt: 'a red apple',
      n: 2,
      seed: 7,
      size: '128x128',
      providerOptions: quick,
    });
    const pipeline = await loadPipeline();
    const direct = await pipeline.generate({ prompt: 'a red apple', count: 2, seed: 7, steps: 2, guidanceScale: 1 });
    await pipeline.dispose();
    for (const [i, image] of images.entries()) {
      expect(image.mediaType).toBe('image/png');
      expect((await readImage(image.uint8Array)).data).toEqual(new Uint8ClampedArray(direct.images[i].data));
    }
    expect(images).toHaveLength(2);
    expect((await readParameters(images[1].uint8Array))?.settings?.Seed).toBe('8');
    expect(warnings).toEqual([]);
    expect(responses.map(({ modelId }) => modelId)).toEqual(['@sd/model-tiny']);
    const [first, second] = providerMetadata.sd.images as { seed: number; width: number; timings: { total: number } }[];
    expect([first.seed, second.seed, first.width]).toEqual([7, 8, 128]);
    expect(first.timings.total).toBeGreaterThan(0);
  });

  it('changes an image', async () => {
    const green = await file([20, 160, 20]);
    const prompt = { text: 'a green field', images: [green] };
    const options = { ...quick, sd: { ...quick.sd, steps: 10, strength: 0.1 } };
    const { images } = await generateImage({ model: sd(), prompt, seed: 1, providerOptions: options });
    const data = Array.from((await readImage(images[0].uint8Array)).data);
    const mean = (channel: number) =>
      data.reduce((sum, value, i) => sum + (i % 4 === channel ? value : 0), 0) / 128 ** 2;
    expect(mean(1) - mean(0)).toBeGreaterThan(60);
  });

  it('repaints the white of a mask, and the transparent part of one that has any', async () => {
    const original = await file([20, 160, 20]);
    const kept = await file([0, 0, 0]);
    const left = await file([0, 0, 0], 0);
    const draw = async (mask: Uint8Array) => {
      const prompt = { text: 'a red apple', images: [original], mask };
      const { images } = await generateImage({ model: sd(), prompt, seed: 1, providerOptions: quick });
      return Array.from((await readImage(images[0].uint8Array)).data);
    };
    const [nothing, half] = [await draw(kept), await draw(left)];
    const difference = (from: number, to: number) => {
      const changes = half.map((value, i) => Math.abs(value - nothing[i]));
      const part = changes.filter((_, i) => Math.floor(i / 4) % 128 >= from && Math.floor(i / 4) % 128 < to);
      return part.reduce((sum, value) => sum + value, 0) / part.length;
    };
    expect(difference(0, 48)).toBeGreaterThan(10 * difference(80, 128));
  });

  it('fetches images by address, and says which cannot be read', async () => {
    const png = await file([200, 20, 20]);
    const server = createServer((request, response) =>
      request.url === '/red.png' ? response.end(png) : response.writeHead(404).end(),
    ).listen(0);
    const { port } = server.address() as AddressInfo;
    const draw = (name: string) => {
      const prompt = { text: 'a red apple', images: [`http://localhost:${port}/${name}`] };
      return generateImage({ model: sd(), prompt, providerOptions: quick });
    };
    expect((await draw('red.png')).images).toHaveLength(1);
    await expect(draw('blue.png')).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringMatching(/blue.png.*404/),
    });
    server.close();
  });

  it('warns of what is not supported', async () => {
    const red = await file([200, 20, 20]);
    const { warnings } = await generateImage({
      model: sd(),
      prompt: { text: 'a red apple', images: [red, red] },
      aspectRatio: '16:9',
      providerOptions: quick,
    });
    expect(warnings).toMatchObject([
      { type: 'unsupported', feature: 'aspectRatio' },
      { type: 'unsupported', feature: 'several images' },
    ]);
  });

  it('ends when the signal is aborted', async () => {
    const abort = new AbortController();
    const drawing = generateImage({
      model: sd(),
      prompt: 'a red apple',
      abortSignal: abort.signal,
      providerOptions: { sd: { steps: 1000 } },
    });
    setTimeout(() => abort.abort(), 100);
    await expect(drawing).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.each([
    [{ steeps: 3 }, /steeps/],
    [{ count: 3 }, /providerOptions\.sd\.count/],
    [{ steps: -1 }, /steps/],
  ])('refuses %j by name', async (options, message) => {
    const drawing = generateImage({ model: sd(), prompt: 'a red apple', providerOptions: { sd: options } });
    await expect(drawing).rejects.toMatchObject({ code: 'invalid-option', message: expect.stringMatching(message) });
  });

  it('refuses a mask without an image', async () => {
    const prompt = { text: 'a red apple', images: [], mask: await file([255, 255, 255]) };
    await expect(generateImage({ model: sd(), prompt })).rejects.toThrow(/prompt\.mask: needs an image/);
  });
});

describe('createSd', () => {
  it('loads a model once, tries one that failed again, and frees all', async () => {
    const loaded: string[] = [];
    const provider = createSd({
      loadModel: async (modelId) => {
        loaded.push(modelId);
        if (modelId === 'missing') throw new Error('no such model');
        return loadPipeline();
      },
    });
    const draw = (model: string) =>
      generateImage({ model: provider(model), prompt: 'a cat', providerOptions: quick, maxRetries: 0 });
    await Promise.all([draw('tiny'), draw('tiny')]);
    await expect(draw('missing')).rejects.toThrow('no such model');
    await expect(draw('missing')).rejects.toThrow('no such model');
    await provider.dispose();
    await draw('tiny');
    await provider.dispose();
    expect(loaded).toEqual(['tiny', 'missing', 'missing', 'tiny']);
  });

  it('works in a registry, and has no language models', async () => {
    const registry = createProviderRegistry({ sd });
    const { images } = await generateImage({
      model: registry.imageModel('sd:@sd/model-tiny'),
      prompt: 'a red apple',
      providerOptions: quick,
    });
    expect(images).toHaveLength(1);
    expect(() => sd.languageModel('llama')).toThrow(/image models only/);
  });
});
