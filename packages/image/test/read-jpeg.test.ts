import { describe, expect, test } from 'vitest';
import { readImage } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf, plain } from './support.js';

/**
 * With chroma halved in height only, mozjpeg's triangle filter rounds halves down in every row, libjpeg-turbo's in every
 * other row: one level of chroma, which makes up to two levels of colour.
 */
const levelsOff: Readonly<Record<string, number>> = { '4:4:0': 2 };
const isCmyk = ([name]: [string, unknown]) => name.startsWith('CMYK');
const all = Object.entries(golden.jpegs);

describe('readImage of a JPEG file', () => {
  test.each(all.filter((entry) => !isCmyk(entry)))('%s: the same pixels as Pillow', async (name, file) => {
    const got = plain(await readImage(bytesOf(file.file)));
    const want = plain(pixelsOf(file));
    expect([got.width, got.height, got.data.length]).toEqual([want.width, want.height, want.data.length]);
    const largest = Math.max(...got.data.map((level, i) => Math.abs(level - want.data[i])));
    expect(largest).toBe(levelsOff[name] ?? 0);
  });

  test.each(all.filter(isCmyk))('%s: refused', async (_, { file }) => {
    const reading = readImage(bytesOf(file));
    await expect(reading).rejects.toMatchObject({ code: 'invalid-option', option: 'image' });
    await expect(reading).rejects.toThrow(/CMYK/);
  });

  test('decodes many at once, some of them broken', async () => {
    const want = golden.jpegs['4:2:0, progressive'];
    const file = bytesOf(want.file);
    const broken = file.slice();
    // Without Huffman tables, libjpeg exits within a scan.
    for (let at = 2; at < broken.length - 1; at++)
      if (broken[at] === 0xff && broken[at + 1] === 0xc4) broken[at + 1] = 0xe5;
    const read = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => readImage(i % 3 === 1 ? broken : file)));
    read.forEach((outcome, i) => {
      if (i % 3 === 1) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'invalid-option' } });
      else expect(outcome.status === 'fulfilled' && plain(outcome.value)).toEqual(plain(pixelsOf(want)));
    });
  });
});

test('a header of more pixels than the file can have is refused before any is decoded', async () => {
  const [{ file }] = Object.values(golden.jpegs);
  const bytes = bytesOf(file);
  const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] >= 0xc0 && bytes[i + 1] <= 0xc2);
  new DataView(bytes.buffer).setUint32(frame + 5, (8191 << 16) | 8191);
  await expect(readImage(bytes)).rejects.toThrow('it is cut off');
});
