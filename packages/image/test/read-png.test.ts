import { describe, expect, test } from 'vitest';
import { readImage } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { addChunk } from './png-chunk.js';
import { bytesOf, pixelsOf, plain } from './support.js';

describe('readImage of a PNG file', () => {
  test.each(Object.entries(golden.pngs))('%s: the same pixels as Pillow', async (_, want) => {
    expect(plain(await readImage(bytesOf(want.file)))).toEqual(plain(pixelsOf(want)));
  });

  const [first] = Object.values(golden.pngs);
  const file = bytesOf(first.file);

  /** The file with `count` copies of a chunk after its header. */
  const withMany = (count: number, type: string, data: readonly number[]) => {
    const chunk = addChunk(file, type, data).subarray(33, 33 + 12 + data.length);
    const chunks = new Uint8Array(chunk.length * count);
    for (let i = 0; i < count; i++) chunks.set(chunk, i * chunk.length);
    return new Uint8Array(Buffer.concat([file.subarray(0, 33), chunks, file.subarray(33)]));
  };

  test.each(['IDAT', 'tEXt'])('with 50,000 empty chunks %s', async (type) => {
    expect(plain(await readImage(withMany(50_000, type, [])))).toEqual(plain(pixelsOf(first)));
  });

  test.each(['IHDR', 'PLTE', 'tRNS'])('two chunks %s are an error', async (type) => {
    const data = Array.from({ length: type === 'IHDR' ? 13 : 3 }, () => 0);
    await expect(readImage(withMany(2, type, data))).rejects.toThrow(`it has two chunks ${type}`);
  });
});
