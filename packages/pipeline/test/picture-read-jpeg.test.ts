import { describe, expect, test } from 'vitest';
import { readPicture } from '../src/picture/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf, plain } from './picture-support.js';

describe('readPicture of a JPEG file', () => {
  test.each(Object.entries(golden.jpegs))('%s: the pixels of Pillow', async (_, want) => {
    expect(plain(await readPicture(bytesOf(want.file)))).toEqual(plain(pixelsOf(want)));
  });
});
