import { describe, expect, test } from 'vitest';
import { readImage } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf, plain } from './support.js';

describe('readImage of a PNG file', () => {
  test.each(Object.entries(golden.pngs))('%s: the same pixels as Pillow', async (_, want) => {
    expect(plain(await readImage(bytesOf(want.file)))).toEqual(plain(pixelsOf(want)));
  });
});
