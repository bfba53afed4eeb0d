import { describe, expect, test } from 'vitest';
import { type Fit, fitPicture } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf, plain } from './support.js';

const sources: Record<string, Parameters<typeof pixelsOf>[0]> = golden.sources;
const source = pixelsOf(golden.sources.RGB);

describe('fitPicture', () => {
  test.each(golden.resized.map((want) => [want.of, want.width, want.height, want] as const))(
    '%s to %d x %d as Pillow scales, to the last bit',
    (of, width, height, want) => {
      expect(plain(fitPicture(pixelsOf(sources[of]!), { width, height, fit: 'stretch' }))).toEqual(
        plain(pixelsOf(want)),
      );
    },
  );

  test.each(golden.fitted.map((want) => [want.fit as Fit, want.width, want.height, want] as const))(
    '%s to %d x %d as diffusers does, to the last bit',
    (fit, width, height, want) => {
      expect(plain(fitPicture(source, { width, height, fit }))).toEqual(plain(pixelsOf(want)));
    },
  );

  test('crop keeps the middle as it is', () => {
    const cropped = fitPicture(source, { width: 5, height: 3, fit: 'crop' });
    const rows = [7, 8, 9].map((y) => bytesOf(golden.sources.RGB.rgba).slice((y * 23 + 9) * 4, (y * 23 + 14) * 4));
    expect([...cropped.data]).toEqual(rows.flatMap((row) => [...row]));
  });

  test('a picture of that size is passed on', () => {
    expect(fitPicture(source, { width: 23, height: 17 })).toBe(source);
    expect(fitPicture(source, { width: 23, height: 17, fit: 'cover' })).toBe(source);
  });

  test('the margins of contain have no gap, whatever the sizes', () => {
    const white = { width: 9, height: 4, data: new Uint8Array(9 * 4 * 4).fill(255) };
    for (let width = 1; width < 30; width++) {
      for (const height of [1, 7, 16, 31]) {
        expect(fitPicture(white, { width, height, fit: 'contain' }).data.every((value) => value === 255)).toBe(true);
        expect(fitPicture(white, { width, height, fit: 'cover' }).data.every((value) => value === 255)).toBe(true);
      }
    }
  });

  test('another size without a fit is an error with both sizes and the choices', () => {
    expect(() => fitPicture(source, { width: 64, height: 32 }, 'mask')).toThrow(
      /^fit: the mask is 23 x 17 pixels, and 64 x 32 are asked for\. .*cover.*contain.*stretch.*crop/,
    );
  });

  test.each<[string, object, string]>([
    ['an unknown fit', { width: 8, height: 8, fit: 'squeeze' }, 'fit'],
    ['a crop of what is too small', { width: 24, height: 8, fit: 'crop' }, 'fit'],
    ['no size', { width: 0, height: 8, fit: 'cover' }, 'width'],
    ['half a pixel', { width: 8.5, height: 8, fit: 'cover' }, 'width'],
  ])('refuses %s', (_, options, option) => {
    const fit = () => fitPicture(source, options as Parameters<typeof fitPicture>[1]);
    expect(fit).toThrow(expect.objectContaining({ code: 'invalid-option', option }));
  });
});
