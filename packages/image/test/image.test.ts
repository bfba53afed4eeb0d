import { type Tensor, tensor } from '@sd/core';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { createImage, encodePng, readParameters } from '../src/index.js';
import golden from './data/image-golden.json' with { type: 'json' };

const rgbOf = (rgba: ArrayLike<number>) => Array.from(rgba).filter((_, i) => i % 4 !== 3);

describe('createImage', () => {
  test.each(golden.pictures)('rounds exactly as diffusers does', ({ values, rgb }) => {
    const image = createImage(tensor('float32', [3, 5, 7], Float32Array.from(values)));
    expect(image).toMatchObject({ width: 7, height: 5 });
    expect(rgbOf(image.data)).toEqual(rgb);
    expect(image.data.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255)).toBe(true);
  });

  test('refuses other shapes and NaN', () => {
    expect(() => createImage(tensor('float32', [1, 3, 2, 2]))).toThrow(expect.objectContaining({ code: 'bad-tensor' }));
    expect(() => createImage(tensor('float32', [4, 2, 2]))).toThrow(expect.objectContaining({ code: 'bad-tensor' }));
    const broken: Tensor<'float32'> = tensor('float32', [3, 1, 1], Float32Array.of(0, Number.NaN, 0));
    expect(() => createImage(broken)).toThrow(expect.objectContaining({ code: 'not-finite' }));
  });

  test('the PNG file has the same pixels, and the settings', async () => {
    const parameters = { prompt: 'a car', settings: { Steps: 20, Sampler: 'PNDM', 'CFG scale': 7.5, Seed: 2n ** 63n } };
    const values = Float32Array.from(golden.pictures[0].values);
    const image = createImage(tensor('float32', [3, 5, 7], values), parameters);
    const png = await image.toPng();
    const decoded = decode(png, { checkCrc: true });
    expect(decoded).toMatchObject({ width: 7, height: 5, channels: 3, depth: 8 });
    expect([...decoded.data]).toEqual(rgbOf(image.data));
    expect(decoded.text).toEqual({
      parameters: 'a car\nSteps: 20, Sampler: PNDM, CFG scale: 7.5, Seed: 9223372036854775808, Size: 7x5',
    });
    expect(await readParameters(png)).toEqual({
      prompt: 'a car',
      negativePrompt: '',
      settings: { Steps: '20', Sampler: 'PNDM', 'CFG scale': '7.5', Seed: '9223372036854775808', Size: '7x5' },
    });
  });

  test('without parameters the PNG file has no text', async () => {
    const png = await createImage(tensor('float32', [3, 1, 1])).toPng();
    expect(decode(png).text).toEqual({});
    expect(await readParameters(png)).toBeUndefined();
  });
});

describe('encodePng', () => {
  test('keeps an alpha channel that is not opaque', async () => {
    const data = Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 128);
    const decoded = decode(await encodePng({ width: 2, height: 1, data }));
    expect(decoded.channels).toBe(4);
    expect([...decoded.data]).toEqual([...data]);
  });

  test.each([
    [2, 2, 4],
    [0, 0, 0],
    [-1, -1, 4],
  ])('refuses %d x %d pixels in %d bytes', async (width, height, bytes) => {
    const pixels = { width, height, data: new Uint8ClampedArray(bytes) };
    await expect(encodePng(pixels)).rejects.toMatchObject({ code: 'invalid-option', option: 'pixels' });
  });
});
