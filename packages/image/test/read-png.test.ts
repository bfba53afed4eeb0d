import { describe, expect, test } from 'vitest';
import { readPicture } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf, plain } from './support.js';

describe('readPicture of a PNG file', () => {
  test.each(Object.entries(golden.pngs))('%s: the pixels of Pillow', async (_, want) => {
    expect(plain(await readPicture(bytesOf(want.file)))).toEqual(plain(pixelsOf(want)));
  });
});
