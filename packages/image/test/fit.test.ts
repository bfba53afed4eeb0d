import { describe, expect, test } from 'vitest';
import { type Fit, fitImage } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf, plain } from './support.js';

const sources: Record<string, Parameters<typeof pixelsOf>[0]> = golden.sources;
const source = pixelsOf(golden.sources.RGB);

describe('fitImage', () => {
  test.each(golden.resized.map((want) => [want.of, want.width, want.height, want] as const))(
    '%s to %d x %d as in Pillow, to the last bit',
    (of, width, height, want) => {
      expect(plain(fitImage(pixelsOf(sources[of]), { width, height, fit: 'stretch' }))).toEqual(plain(pixelsOf(want)));
    },
  );

  test.each(golden.fitted.map((want) => [want.fit as Fit, want.width, want.height, want] as const))(
    '%s to %d x %d as in diffusers, to the last bit',
    (fit, width, height, want) => {
      expect(plain(fitImage(source, { width, height, fit }))).toEqual(plain(pixelsOf(want)));
    },
  );

  test('crop keeps the centre unchanged', () => {
    const cropped = fitImage(source, { width: 5, height: 3, fit: 'crop' });
    const rows = [7, 8, 9].map((y) => bytesOf(golden.sources.RGB.rgba).slice((y * 23 + 9) * 4, (y * 23 + 14) * 4));
    expect([...cropped.data]).toEqual(rows.flatMap((row) => [...row]));
  });

  test('an image of that size is returned as it is', () => {
    expect(fitImage(source, { width: 23, height: 17 })).toBe(source);
    expect(fitImage(source, { width: 23, height: 17, fit: 'cover' })).toBe(source);
  });

  test('contain leaves no gap in the margins at any size', () => {
    const white = { width: 9, height: 4, data: new Uint8Array(9 * 4 * 4).fill(255) };
    for (let width = 1; width < 30; width++) {
      for (const height of [1, 7, 16, 31]) {
        expect(fitImage(white, { width, height, fit: 'contain' }).data.every((value) => value === 255)).toBe(true);
        expect(fitImage(white, { width, height, fit: 'cover' }).data.every((value) => value === 255)).toBe(true);
      }
    }
  });

  test('another size without a fit is an error that names both sizes and the choices', () => {
    expect(() => fitImage(source, { width: 64, height: 32 }, 'mask')).toThrow(
      /^fit: the mask has 23 x 17 pixels, but 64 x 32 are needed\. .*cover.*contain.*stretch.*crop/,
    );
  });

  test.each<[string, object, string]>([
    ['an unknown fit', { width: 8, height: 8, fit: 'squeeze' }, 'fit'],
    ['a crop larger than the image', { width: 24, height: 8, fit: 'crop' }, 'fit'],
    ['an empty size', { width: 0, height: 8, fit: 'cover' }, 'width'],
    ['half a pixel', { width: 8.5, height: 8, fit: 'cover' }, 'width'],
  ])('refuses %s', (_, options, option) => {
    const fit = () => fitImage(source, options as Parameters<typeof fitImage>[1]);
    expect(fit).toThrow(expect.objectContaining({ code: 'invalid-option', option }));
  });
});
