import { describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { pix2pixGuidance } from '../src/index.js';
import { figures, guided, positive, second } from './support.js';

test('guides by image and by prompt, in one call in diffusers’ order', async () => {
  const { outputs, calls } = await guided(pix2pixGuidance({ scale: 7.5, imageScale: 1.5 }), { takesImage: true });
  expect(calls).toEqual(Array(3).fill(['positive,negative,withoutImage']));
  for (const [i, image] of figures.negative.entries()) {
    const want = image.map((value, k) => value / 2 + 7.5 * (figures.positive[i][k] - value) + 1.5 * (value / 2));
    expect(relativeError(outputs[i], want)).toBeLessThan(1e-6);
  }
});

test('several prompts are composed', async () => {
  const prompts = [
    { embedding: positive, weight: 0.7 },
    { embedding: second, weight: 0.3 },
  ];
  const { outputs, calls } = await guided(pix2pixGuidance({ scale: 3, imageScale: 1 }), { takesImage: true, prompts });
  expect(calls[0]).toEqual(['positive,second,negative,withoutImage']);
  const want = figures.negative[0].map((value, k) => {
    const text = 0.7 * figures.positive[0][k] + 0.3 * figures.second[0][k];
    return value / 2 + 3 * (text - value) + value / 2;
  });
  expect(relativeError(outputs[0], want)).toBeLessThan(1e-6);
});

describe('only the positive prompt', () => {
  test.each([
    [1, 1.5],
    [7.5, 0.9],
  ])('at a scale of %f and an image scale of %f', async (scale, imageScale) => {
    const { outputs, calls } = await guided(pix2pixGuidance({ scale, imageScale }), { takesImage: true });
    expect(calls).toEqual(Array(3).fill(['positive']));
    expect(outputs).toEqual(figures.positive);
  });
});

test('refuses models without an image, and a scale of NaN', async () => {
  const guidance = pix2pixGuidance({ scale: 7.5, imageScale: 1.5 });
  expect(guidance.settings).toEqual({ 'CFG scale': 7.5, 'Image CFG scale': 1.5 });
  await expect(guided(guidance)).rejects.toThrow('needs a model that takes an image as extra channels');
  expect(() => pix2pixGuidance({ scale: 7.5, imageScale: Number.NaN })).toThrow('must be a finite number');
});
