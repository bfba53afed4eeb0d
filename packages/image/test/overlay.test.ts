import { InvalidOptionError, TensorError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { overlay } from '../src/index.js';

const gray = (width: number, height: number) => ({
  width,
  height,
  data: new Uint8ClampedArray(width * height * 4).map((_, i) => (i % 4 === 3 ? 200 : 100)),
});
const map = (width: number, height: number, ...values: number[]) => ({
  width,
  height,
  data: Float32Array.from(values),
});
const pixelsOf = ({ data }: { readonly data: ArrayLike<number> }) =>
  Array.from({ length: data.length / 4 }, (_, i) => Array.from(data).slice(i * 4, i * 4 + 4));

describe('a heat map over an image', () => {
  test('leaves cold places, covers hot ones, and keeps the alpha channel', () => {
    expect(pixelsOf(overlay(gray(2, 1), map(2, 1, 0.1, 0.3), { opacity: 1 }))).toEqual([
      [100, 100, 100, 200],
      [252, 255, 164, 200],
    ]);
    expect(pixelsOf(overlay(gray(2, 1), map(2, 1, 0, 1), { opacity: 0 }))).toEqual(pixelsOf(gray(2, 1)));
  });

  test('is scaled to the image, linearly between the centres of its places', () => {
    const pixels = pixelsOf(overlay(gray(4, 2), map(2, 1, 0, 1), { opacity: 1 }));
    expect(pixels.slice(0, 4)).toEqual(pixels.slice(4));
    expect(pixels[0]).toEqual([100, 100, 100, 200]);
    // A quarter and three quarters of the heat, with as much cover.
    expect(pixels[1]).toEqual([97, 79, 102, 200]);
    expect(pixels[2]).toEqual([212, 132, 32, 200]);
  });

  test('in a range that several maps share', () => {
    const [low, high] = [map(1, 1, 0.1), map(1, 1, 0.2)].map((each) =>
      overlay(gray(1, 1), each, { opacity: 1, range: [0, 0.2] }),
    );
    expect(pixelsOf(low)[0]).not.toEqual(pixelsOf(high)[0]);
    expect(pixelsOf(high)[0].slice(0, 3)).toEqual([252, 255, 164]);
  });

  test('of a single value changes nothing', () => {
    expect(pixelsOf(overlay(gray(2, 2), map(1, 1, 0.5)))).toEqual(pixelsOf(gray(2, 2)));
  });

  test('does not change its image, and is a PNG file', async () => {
    const image = gray(2, 1);
    const heated = overlay(image, map(2, 1, 0, 1));
    expect(image.data).toEqual(gray(2, 1).data);
    expect([...(await heated.toPng()).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
  });
});

test.each([
  ['map', undefined, {}],
  ['map', map(2, 2, 1), {}],
  ['map', map(0, 0), {}],
  ['opacity', map(1, 1, 1), { opacity: 1.5 }],
  ['opacity', map(1, 1, 1), { opacity: Number.NaN }],
  ['range', map(1, 1, 1), { range: [1, 0] as const }],
])('refuses %s %#', (option, given, options) => {
  const drawing = () => overlay(gray(1, 1), given as never, options);
  expect(drawing).toThrow(InvalidOptionError);
  expect(drawing).toThrow(new RegExp(`^${option}`));
});

test('refuses values that are not finite', () => {
  expect(() => overlay(gray(1, 1), map(1, 1, Number.NaN))).toThrow(TensorError);
});
