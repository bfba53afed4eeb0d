import { describe, expect, test } from 'vitest';
import { outpaint } from '../src/index.js';

const levels = [10, 20, 30, 40, 50, 60];
/** 3 x 2 pixels. */
const original = { width: 3, height: 2, data: Uint8Array.from(levels.flatMap((level) => [level, level, level, 255])) };
const reds = ({ data }: { data: ArrayLike<number> }) => Array.from(data).filter((_, i) => i % 4 === 0);

describe('outpaint', () => {
  test('extends the edges over the new area', () => {
    const { image } = outpaint(original, { left: 1, right: 2, top: 1, bottom: 1 });
    expect(image).toMatchObject({ width: 6, height: 4 });
    expect(reds(image)).toEqual([
      10, 10, 20, 30, 30, 30, 10, 10, 20, 30, 30, 30, 40, 40, 50, 60, 60, 60, 40, 40, 50, 60, 60, 60,
    ]);
  });

  test('or fills it with gray', () => {
    const { image } = outpaint(original, { right: 1, fill: 'gray' });
    expect(reds(image)).toEqual([10, 20, 30, 128, 40, 50, 60, 128]);
  });

  test('the mask is white in the new area, and fades to black over the seam', () => {
    const { mask } = outpaint({ width: 6, height: 1, data: new Uint8Array(24) }, { left: 2, feather: 4 });
    expect(reds(mask)).toEqual([255, 255, 223, 159, 96, 32, 0, 0]);
    expect([...mask.data].filter((_, i) => i % 4 === 3)).toEqual(Array(8).fill(255));
  });

  test('the seam follows exactly the sides that grow', () => {
    const { mask } = outpaint({ width: 4, height: 4, data: new Uint8Array(64) }, { right: 1, bottom: 1, feather: 2 });
    expect(reds(mask)).toEqual([
      ...[0, 0, 64, 191, 255],
      ...[0, 0, 64, 191, 255],
      ...[64, 64, 64, 191, 255],
      ...[191, 191, 191, 191, 255],
      ...[255, 255, 255, 255, 255],
    ]);
  });

  test('without feather the edge is hard; without added pixels the mask is black', () => {
    expect(reds(outpaint(original, { right: 1, feather: 0 }).mask)).toEqual([0, 0, 0, 255, 0, 0, 0, 255]);
    expect(reds(outpaint(original, {}).mask)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(outpaint(original, {}).image.data).toEqual(new Uint8ClampedArray(original.data));
  });

  test.each([
    ['left', { left: -1 }],
    ['top', { top: 0.5 }],
    ['feather', { feather: Number.NaN }],
    ['fill', { fill: 'noise' }],
    ['image', { right: 2 ** 30 }],
  ])('refuses %s', (option, options) => {
    const paint = () => outpaint(original, options as Parameters<typeof outpaint>[1]);
    expect(paint).toThrow(expect.objectContaining({ code: 'invalid-option', option }));
  });
});
