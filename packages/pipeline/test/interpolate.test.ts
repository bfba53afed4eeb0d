import { describe, expect, test, vi } from 'vitest';
import { createPipeline, type InterpolateOptions, interpolate } from '../src/index.js';
import { mockStages } from './support.js';

const sd = createPipeline(mockStages());
const base = { steps: 2, guidanceScale: 5 };

async function framesOf(options: InterpolateOptions) {
  const frames = [];
  for await (const frame of interpolate(sd, options)) frames.push(frame);
  return frames;
}

describe('an interpolation', () => {
  test('goes from one seed to another in equal steps; its ends are the images of those seeds', async () => {
    const frames = await framesOf({ ...base, from: { prompt: 'a car', seed: 1 }, to: { seed: 2 }, frames: 5 });
    expect(frames.map(({ frame, amount }) => [frame, amount])).toEqual([0, 0.25, 0.5, 0.75, 1].map((a, i) => [i, a]));
    const images = frames.map(({ image }) => image.data);
    for (const [end, seed] of [[images[0], 1] as const, [images[4], 2] as const]) {
      expect(end).toEqual((await sd.generate({ ...base, prompt: 'a car', seed })).images[0].data);
    }
    expect(images[2]).not.toEqual(images[0]);
    expect(images[2]).not.toEqual(images[4]);
  });

  test('goes from one prompt to another with the same seed', async () => {
    const generate = vi.fn(sd.generate);
    const from = { prompt: 'a car', negativePrompt: 'grey' };
    for await (const _ of interpolate({ generate }, { ...base, from, to: { prompt: 'a house' }, frames: 3 }));
    const calls = generate.mock.calls.map(([options]) => options);
    expect(new Set(calls.map(({ seed }) => seed)).size).toBe(1);
    expect(calls[1]).toMatchObject({ ...from, blend: { prompt: 'a house', amount: 0.5 }, steps: 2 });
    expect(calls[1]).not.toHaveProperty('variationSeed');
  });

  test('generates a frame only when it is requested', async () => {
    const generate = vi.fn(sd.generate);
    for await (const _ of interpolate({ generate }, { ...base, from: { prompt: '' }, to: { seed: 2 }, frames: 9 }))
      break;
    expect(generate).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['frames', { from: { prompt: '' }, to: {}, frames: 1 }],
    ['to', { from: { prompt: '' }, frames: 3 }],
    ['prompt', { from: {}, to: {}, frames: 3 }],
    ['variationSeed', { from: { prompt: '' }, to: { seed: 0.5 }, frames: 3 }],
  ])('refuses an invalid value of %s', async (option, options) => {
    await expect(framesOf(options as InterpolateOptions)).rejects.toMatchObject({ code: 'invalid-option', option });
  });
});
