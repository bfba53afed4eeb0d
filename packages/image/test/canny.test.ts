import { describe, expect, test } from 'vitest';
import { cannyEdges } from '../src/index.js';
import golden from './data/canny-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf } from './support.js';

const sources: Record<string, Parameters<typeof pixelsOf>[0]> = golden.pictures;

describe('cannyEdges', () => {
  test.each(golden.cases)(
    'finds the same edges as OpenCV: $of, $low to $high, gray $gray',
    ({ of, edges, ...options }) => {
      const { data } = cannyEdges(pixelsOf(sources[of]), options);
      const bits = bytesOf(edges);
      const want = Array.from({ length: data.length / 4 }, (_, i) => ((bits[i >> 3] >> (7 - (i % 8))) & 1) * 255);
      expect([...data.filter((_, i) => i % 4 === 0)]).toEqual(want);
    },
  );

  test('gives an opaque image of pure black and white', () => {
    const { data } = cannyEdges(pixelsOf(golden.pictures.drawn));
    const pixels = new Set(Array.from({ length: data.length / 4 }, (_, i) => [...data.slice(i * 4, i * 4 + 4)].join()));
    expect(pixels).toEqual(new Set(['0,0,0,255', '255,255,255,255']));
  });

  test('has thresholds of 100 and 200 by default, and leaves its input unchanged', () => {
    const image = pixelsOf(golden.pictures.drawn);
    const before = image.data.slice();
    expect(cannyEdges(image).data).toEqual(cannyEdges(image, { low: 100, high: 200 }).data);
    expect(image.data).toEqual(before);
  });

  test.each([
    ['low', { low: -1 }],
    ['low', { low: Number.NaN }],
    ['high', { high: Infinity }],
    ['low', { low: 300 }],
  ])('refuses %s of %o', (option, options) => {
    const find = () => cannyEdges(pixelsOf(golden.pictures.drawn), options);
    expect(find).toThrow(expect.objectContaining({ code: 'invalid-option', option }));
  });
});
