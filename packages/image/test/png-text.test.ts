import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { encodePng, readParameters } from '../src/index.js';
import golden from './data/image-golden.json' with { type: 'json' };
import { addChunk } from './png-chunk.js';

const pixels = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255) };
const settings = { Steps: 20, Sampler: 'Euler', 'CFG scale': 7, Seed: 1, Size: '1x1' };
const pngOf = (prompt: string, negativePrompt = '') => encodePng(pixels, { prompt, negativePrompt, settings });
const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
const typesOf = (png: Uint8Array) => new TextDecoder('latin1').decode(png).match(/IHDR|IDAT|IEND|[tzi][TE]Xt/gi);

describe('text chunks', () => {
  test.each([
    ['a car', 'tEXt'],
    ['café, naïve', 'tEXt'],
    ['一辆蓝色的汽车', 'iTXt'],
    ['\u{1f697}\u{1f469}\u{1f3fd}\u200d\u{1f680}', 'iTXt'],
    ['‘curly quotes’ – and dashes', 'iTXt'],
    ['c\u0085control', 'iTXt'],
    ['Negative prompt: 汽车\nSteps: 1, a: b, c: d', 'iTXt'],
  ])('%s is written as %s, before the pixels, and read back', async (prompt, type) => {
    const png = await pngOf(prompt, prompt);
    expect(typesOf(png)).toEqual(['IHDR', type, 'IDAT', 'IEND']);
    expect([...decode(png, { checkCrc: true }).data]).toEqual([1, 2, 3]);
    expect(await readParameters(png)).toMatchObject({ prompt, negativePrompt: prompt, settings: { Seed: '1' } });
  });

  test('drops null characters, and replaces lone surrogates', async () => {
    expect(await readParameters(await pngOf('nul\0l 汽'))).toMatchObject({ prompt: 'null 汽' });
    expect(await readParameters(await pngOf('half \ud83d.'))).toMatchObject({ prompt: 'half \ufffd.' });
  });

  test.each(['tEXt', 'zTXt', 'iTXt', 'iTXt compressed'] as const)('reads Pillow’s %s', async (kind) => {
    expect(await readParameters(bytesOf(golden.files[kind]))).toEqual({
      prompt: /^[tz]/.test(kind) ? 'a car, café' : 'a car, 汽车 \u{1f697}',
      negativePrompt: 'blurry',
      settings: { Steps: '20', Sampler: 'Euler a', 'CFG scale': '7.0', Seed: '42', Size: '1x1' },
    });
  });

  test('a file with other texts only has no parameters', async () => {
    expect(await readParameters(bytesOf(golden.files.none))).toBeUndefined();
  });
});

describe('untrusted bytes', () => {
  const refused = { code: 'invalid-option', option: 'file' };

  test.each(Object.keys(golden.files) as (keyof typeof golden.files)[])('%s truncated anywhere', async (kind) => {
    const png = bytesOf(golden.files[kind]);
    for (let length = 0; length < png.length; length++) {
      await expect(readParameters(png.subarray(0, length)), `${length} bytes`).rejects.toMatchObject(refused);
    }
  });

  test.each(Object.keys(golden.files) as (keyof typeof golden.files)[])('%s with any byte changed', async (kind) => {
    const png = bytesOf(golden.files[kind]);
    for (let at = 0; at < png.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const changed = png.slice();
        changed[at] ^= change;
        const outcome = await readParameters(changed).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject(refused);
      }
    }
  });

  test('refuses a decompression bomb', async () => {
    const bomb = new Blob([new Uint8Array(2 ** 25)]).stream().pipeThrough(new CompressionStream('deflate'));
    const packed = new Uint8Array(await new Response(bomb).arrayBuffer());
    const png = addChunk(await encodePng(pixels), 'zTXt', [...new TextEncoder().encode('parameters\0\0'), ...packed]);
    await expect(readParameters(png)).rejects.toMatchObject(refused);
  });

  test.each<[string, number[]]>([
    ['no language', [0, 0, 120]],
    ['no title', [0, 0, 0, 120]],
    ['invalid UTF-8', [0, 0, 0, 0, 0xff, 0xfe]],
    ['broken compressed data', [1, 0, 0, 0, 1, 2, 3]],
    ['no data', []],
  ])('an iTXt chunk with %s', async (_, rest) => {
    const png = addChunk(await encodePng(pixels), 'iTXt', [...new TextEncoder().encode('parameters\0'), ...rest]);
    await expect(readParameters(png)).rejects.toMatchObject(refused);
  });

  test('refuses anything but a PNG file', async () => {
    await expect(readParameters(new TextEncoder().encode('<html></html>'))).rejects.toThrow(
      /^file: must be a PNG, JPEG, WebP or AVIF file/,
    );
    await expect(readParameters('text' as unknown as Uint8Array)).rejects.toMatchObject(refused);
  });
});
