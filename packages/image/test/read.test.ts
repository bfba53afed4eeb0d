import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodePng, type ImageInput, readImage } from '../src/index.js';
import golden from './data/picture-golden.json' with { type: 'json' };
import { addChunk } from './png-chunk.js';
import { bytesOf, plain } from './support.js';

const refused = { code: 'invalid-option', option: 'image' };
const png = bytesOf(golden.pngs.RGB.file);
const baseline = bytesOf(golden.jpegs['restarts, baseline'].file);
const progressive = bytesOf(golden.jpegs['4:2:0, progressive'].file);
const files = { png, baseline, progressive };

/** A PNG file with any header and any compressed pixels, which may disagree. */
function pngOf(
  width: number,
  height: number,
  compressed: Uint8Array,
  depth = 8,
  colour = 2,
  interlaced = 0,
): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const checked = Buffer.concat([Buffer.from(type), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(checked));
    return Buffer.concat([length, checked, crc]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced], 8);
  const [start, end] = [png.subarray(0, 8), chunk('IEND', Buffer.alloc(0))];
  return Uint8Array.from(Buffer.concat([start, chunk('IHDR', header), chunk('IDAT', compressed), end]));
}

describe('readImage', () => {
  test('pixels are returned without a copy', async () => {
    const data = Uint8ClampedArray.of(1, 2, 3, 4, 5, 6, 7, 8);
    const read = await readImage({ width: 2, height: 1, data });
    expect(read).toMatchObject({ width: 2, height: 1 });
    expect(read.data).toBe(data);
  });

  test('reads what encodePng writes', async () => {
    const pixels = { width: 3, height: 2, data: Uint8Array.from({ length: 24 }, (_, i) => i * 10) };
    expect(plain(await readImage(await encodePng(pixels)))).toEqual(plain(pixels));
  });

  test('a file may be a view into a larger buffer', async () => {
    for (const file of Object.values(files)) {
      const larger = new Uint8Array(file.length + 20).fill(255);
      larger.set(file, 7);
      const view = larger.subarray(7, 7 + file.length);
      expect(plain(await readImage(view))).toEqual(plain(await readImage(file)));
    }
  });

  test.each<[string, unknown, RegExp]>([
    ['half a WebP file', Buffer.from('RIFF\x10\0\0\0WEBPVP8 '), /^image: is a WebP file, but broken/],
    ['a GIF file', Buffer.from('GIF89a'), /^image: .*a GIF file/],
    ['a web page', Buffer.from('<!doctype html>'), /XML or HTML/],
    ['other bytes', Buffer.from('abcdefg'), /7 bytes of no known kind that begin with 61 62 63 64/],
    ['no bytes', new Uint8Array(0), /there are no bytes/],
    ['a path', 'cat.png', /not a string/],
    ['an ArrayBuffer', new ArrayBuffer(8), /not of type ArrayBuffer/],
    ['nothing', undefined, /not undefined/],
    [
      'too few pixels',
      { width: 2, height: 2, data: new Uint8Array(12) },
      /must have 16 bytes for 2 x 2 RGBA pixels, not 12/,
    ],
    ['no size', { data: new Uint8Array(12) }, /an object with data/],
    ['half a pixel', { width: 0.5, height: 2, data: new Uint8Array(4) }, /cannot be 0.5 x 2/],
    ['floats', { width: 1, height: 1, data: new Float32Array(4) }, /RGBA bytes/],
  ])('refuses %s, and identifies it', async (_, input, message) => {
    const reading = readImage(input as ImageInput);
    await expect(reading).rejects.toMatchObject(refused);
    await expect(reading).rejects.toThrow(message);
  });

  test('the message names the option', async () => {
    await expect(readImage(new Uint8Array(0), 'mask')).rejects.toMatchObject({ option: 'mask' });
  });
});

describe('untrusted files', () => {
  test.each(Object.entries(files))('a %s file truncated anywhere', async (_, file) => {
    for (let length = 0; length < file.length; length++) {
      await expect(readImage(file.subarray(0, length)), `${length} bytes`).rejects.toMatchObject(refused);
    }
  });

  test.each(Object.entries(files))('a %s file with a changed byte is read or refused', async (kind, file) => {
    // JPEG files only at every third byte, since each attempt loads a new decoder.
    for (let at = 0; at < file.length; at += kind === 'png' ? 1 : 3) {
      const changed = file.slice();
      changed[at] ^= 1 << (at % 8);
      const outcome = await readImage(changed).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome, `byte ${at}`).toMatchObject(refused);
      else expect(outcome).toHaveProperty('data');
    }
  });

  test('a PNG file that decompresses to more than its header says', async () => {
    const bomb = deflateSync(new Uint8Array(50_000_000));
    await expect(readImage(pngOf(1, 1, bomb))).rejects.toThrow(/decompresses to more than the 4 bytes/);
    const profile = addChunk(png, 'iCCP', [...Buffer.from('a\0\0'), ...deflateSync(new Uint8Array(1_000_000))]);
    await expect(readImage(profile)).resolves.toMatchObject({ width: 11 });
  });

  test('a PNG file that decompresses to less', async () => {
    await expect(readImage(pngOf(2, 2, deflateSync(new Uint8Array(5))))).rejects.toThrow(/decompresses to 5 bytes/);
  });

  test.each([
    [8193, 8192],
    [2 ** 31, 2 ** 31],
    [0, 5],
  ])('a PNG file of %d x %d pixels', async (width, height) => {
    await expect(readImage(pngOf(width, height, new Uint8Array(9)))).rejects.toThrow(`${width} x ${height}`);
  });

  test('a JPEG file of 65535 x 65535 pixels', async () => {
    const file = baseline.slice();
    const at = Buffer.from(file).indexOf(Buffer.of(0xff, 0xc0));
    file.fill(255, at + 5, at + 9);
    await expect(readImage(file)).rejects.toThrow('65535 x 65535');
  });

  test('a JPEG file with hundreds of scans', async () => {
    const start = Buffer.from(progressive).indexOf(Buffer.of(0xff, 0xda));
    const second = Buffer.from(progressive).indexOf(Buffer.of(0xff), start + 2 + 12);
    const scan = progressive.subarray(start, second);
    const file = Buffer.concat([progressive.subarray(0, start), ...Array<Uint8Array>(200).fill(scan)]);
    await expect(readImage(Uint8Array.from(file))).rejects.toMatchObject(refused);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['interlaced PNG of 4 bits', pngOf(2, 2, deflateSync(new Uint8Array(9)), 4, 0, 1), /interlaced PNG file of 4 bits/],
    ['PNG of 3 bits', pngOf(2, 2, deflateSync(new Uint8Array(9)), 3, 0), /no colour type 0 of 3 bits/],
    ['indexed PNG without a palette', pngOf(2, 1, deflateSync(new Uint8Array(3)), 8, 3), /palette/],
    ['JPEG with arithmetic coding', sof(0xc9), /arithmetic coding/],
    ['lossless JPEG', sof(0xc3), /SOF type 0xc3/],
    ['JPEG of 12 bits', sof(0xc1, 12), /precision 12/],
  ])('%s', async (_, file, message) => {
    const reading = readImage(file);
    await expect(reading).rejects.toMatchObject(refused);
    await expect(reading).rejects.toThrow(message);
  });
});

/** A JPEG file with another frame marker and precision. */
function sof(marker: number, precision = 8): Uint8Array {
  const file = baseline.slice();
  const at = Buffer.from(file).indexOf(Buffer.of(0xff, 0xc0));
  file[at + 1] = marker;
  file[at + 4] = precision;
  return file;
}
