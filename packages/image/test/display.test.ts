import { describe, expect, test } from 'vitest';
import { animate, contactSheet, enlarge, type Pixels, readImage } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { readGif } from './gif.js';
import { largestDifference, pixelsOf, plain, rgbOf } from './support.js';

const flat = (width: number, height: number, level: number): Pixels => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : level)),
});
const reds = ({ data }: Pixels) => Array.from(data).filter((_, i) => i % 4 === 0);
const refused = (option: string) => expect.objectContaining({ code: 'invalid-option', option });

describe('enlarge', () => {
  test('repeats every pixel', async () => {
    const image = enlarge({ width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 7) }, 2);
    const row = [1, 2, 3, 255, 1, 2, 3, 255, 4, 5, 6, 7, 4, 5, 6, 7];
    expect(plain(image)).toEqual({ width: 4, height: 2, data: [...row, ...row] });
    expect(plain(await readImage(await image.toPng()))).toEqual(plain(image));
  });

  test.each([0, 1.5, -1, Number.NaN, 2 ** 20])('refuses a factor of %s', (factor) => {
    expect(() => enlarge(flat(2, 2, 0), factor)).toThrow(refused('factor'));
  });
});

describe('contactSheet', () => {
  test('fills row by row, with transparent gaps', () => {
    const sheet = contactSheet([flat(1, 1, 10), flat(1, 1, 20), flat(1, 1, 30)], { columns: 2, gap: 1 });
    expect(sheet).toMatchObject({ width: 3, height: 3 });
    expect(reds(sheet)).toEqual([10, 0, 20, 0, 0, 0, 30, 0, 0]);
    expect([...sheet.data].filter((_, i) => i % 4 === 3)).toEqual([255, 0, 255, 0, 0, 0, 255, 0, 0]);
  });

  test('centres a smaller image in its cell', () => {
    const sheet = contactSheet([flat(3, 3, 9), flat(1, 1, 5)], { columns: 2, gap: 0, background: [1, 1, 1, 255] });
    expect(reds(sheet)).toEqual([9, 9, 9, 1, 1, 1, 9, 9, 9, 1, 5, 1, 9, 9, 9, 1, 1, 1]);
  });

  test('is about square by default, and no wider than its images', () => {
    const images = Array.from({ length: 7 }, () => flat(2, 2, 0));
    expect(contactSheet(images)).toMatchObject({ width: 3 * 6 - 4, height: 3 * 6 - 4 });
    expect(contactSheet(images, { columns: 20, gap: 0 })).toMatchObject({ width: 14, height: 2 });
  });

  test('refuses an empty list, and impossible columns and gaps', () => {
    expect(() => contactSheet([])).toThrow(refused('images'));
    expect(() => contactSheet([flat(1, 1, 0)], { columns: 0 })).toThrow(refused('columns'));
    expect(() => contactSheet([flat(1, 1, 0)], { gap: -1 })).toThrow(refused('gap'));
  });
});

describe('animate', () => {
  const busy = pixelsOf(golden.sources.RGB);
  const white = flat(busy.width, busy.height, 255);

  test.each(['frame', 'global'] as const)('up to 256 colours are exact, palette: %s', async (palette) => {
    const images = [enlarge(flat(2, 2, 40), 9), enlarge(pixelsOf(golden.pngs['palette of 2 bits']), 1)];
    for (const image of images) {
      const other = { ...image, data: image.data.map((value, i) => (i % 4 === 3 ? 255 : value ^ 1)) };
      const gif = readGif(await animate([image, other], { delay: [70, 1000], palette }));
      expect(gif).toMatchObject({ signature: 'GIF89a', width: image.width, height: image.height, repeat: 0 });
      expect(gif.frames).toEqual([
        { delay: 70, rgb: rgbOf(image) },
        { delay: 1000, rgb: rgbOf(other) },
      ]);
    }
  });

  test.each(['frame', 'global'] as const)('more colours are approximated, palette: %s', async (palette) => {
    const bytes = await animate([busy, white, busy], { palette });
    const gif = readGif(bytes);
    expect(gif.end).toBe(bytes.length);
    expect(gif.frames.map(({ delay }) => delay)).toEqual([100, 100, 100]);
    expect(gif.frames[1].rgb).toEqual(rgbOf(white as Parameters<typeof rgbOf>[0]));
    const want = rgbOf(busy as Parameters<typeof rgbOf>[0]);
    expect(largestDifference(gif.frames[0].rgb, want)).toBeLessThan(24);
    expect(gif.frames[2].rgb).toEqual(gif.frames[0].rgb);
  });

  test('transparent pixels turn white', async () => {
    const gif = readGif(await animate([{ width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 0) }]));
    expect(gif.frames[0].rgb).toEqual([255, 255, 255]);
  });

  test('plays endlessly, or as often as requested', async () => {
    const repeats = [Infinity, 0, 3].map(async (repeat) => readGif(await animate([white], { repeat })).repeat);
    expect(await Promise.all(repeats)).toEqual([0, undefined, 3]);
  });

  test.each<[string, readonly Pixels[], object]>([
    ['images', [], {}],
    ['images', [flat(1, 1, 0), flat(1, 2, 0)], {}],
    ['delay', [white], { delay: -1 }],
    ['delay', [white], { delay: [1, 2] }],
    ['format', [white], { format: 'apng' }],
    ['palette', [white], { palette: 'none' }],
    ['repeat', [white], { repeat: 0.5 }],
  ])('refuses %s', async (option, images, options) => {
    await expect(animate(images, options)).rejects.toEqual(refused(option));
  });
});
