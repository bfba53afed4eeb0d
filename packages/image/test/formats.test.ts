import { describe, expect, test } from 'vitest';
import { encodeImage, encodePng, type ImageFormat, imageFormats, readImage, readParameters } from '../src/index.js';
import golden from './data/formats-golden.json' with { type: 'json' };
import { bytesOf, largestDifference, plain, rgbOf } from './support.js';

const formats = Object.keys(imageFormats) as ImageFormat[];
const lossy = formats.filter((format) => imageFormats[format].isLossy);
const parameters = {
  prompt: 'a car, 汽车 \u{1f697}',
  negativePrompt: 'blurry',
  settings: { Steps: 20, Sampler: 'Euler a', Seed: 7n },
};

/** A smooth image with an odd width, and a half that is transparent where wanted. */
function smooth(width: number, height: number, alpha = 255) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set([(x / width) * 255, (y / height) * 255, 90, x < width / 2 ? 255 : alpha], i * 4);
  }
  return { width, height, data };
}

describe.each(formats)('%s', (format) => {
  const quality = format === 'png' ? undefined : 95;

  test('an image and its settings read back', async () => {
    const image = smooth(33, 20);
    const file = await encodeImage(image, { format, quality, parameters });
    const read = await readImage(file);
    expect([read.width, read.height]).toEqual([33, 20]);
    expect(largestDifference(rgbOf(read), rgbOf(image))).toBeLessThan(format === 'png' ? 1 : 24);
    expect(await readParameters(file)).toEqual({
      ...parameters,
      settings: { Steps: '20', Sampler: 'Euler a', Seed: '7' },
    });
    const without = await encodeImage(image, { format, quality });
    expect(await readParameters(without)).toBeUndefined();
    // The settings change no pixel.
    expect(plain(await readImage(without))).toEqual(plain(read));
  });

  test('transparency is kept, or shown on white', async () => {
    const image = smooth(32, 16, 0);
    const file = await encodeImage(image, { format, quality, parameters });
    const { data } = await readImage(file);
    expect([data[3], data.at(-1)]).toEqual([255, format === 'jpeg' ? 255 : 0]);
    if (format === 'jpeg') expect(data.at(-2)).toBeGreaterThan(240);
    expect(await readParameters(file)).toMatchObject({ prompt: parameters.prompt });
  });

  test('files that are cut off or changed are read or refused', async () => {
    const file = await encodeImage(smooth(8, 8), { format, quality, parameters });
    const settings = async (bytes: Uint8Array) => readParameters(bytes).catch((error: unknown) => error);
    const refused = { code: 'invalid-option', option: 'file' };
    for (let at = 0; at < file.length; at++) {
      const changed = file.slice();
      changed[at] ^= 0x81;
      for (const outcome of [await settings(file.subarray(0, at)), await settings(changed)]) {
        if (outcome instanceof Error) expect(outcome, `byte ${at}`).toMatchObject(refused);
      }
    }
    // Decoders are loaded anew for each file.
    for (let at = 0; at < file.length; at += Math.ceil(file.length / 6)) {
      const changed = file.slice();
      changed[at] ^= 0x81;
      for (const bytes of [file.subarray(0, at), changed]) {
        const outcome = await readImage(bytes).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'invalid-option', option: 'image' });
      }
    }
  });
});

test.each(lossy)('%s: a lower quality makes a smaller file', async (format) => {
  const image = smooth(64, 64);
  for (let i = 0; i < image.data.length; i += 4) image.data[i] ^= (i * 2654435761) >>> 26;
  const [low, high] = await Promise.all([10, 95].map((quality) => encodeImage(image, { format, quality })));
  expect(low.length).toBeLessThan(high.length / 2);
});

test.each<[string, object, string, RegExp]>([
  ['another format', { format: 'gif' }, 'format', /png or jpeg or webp or avif/],
  ['a quality of PNG', { quality: 80 }, 'quality', /no effect on a PNG file/],
  ['a quality of 0', { format: 'jpeg', quality: 0 }, 'quality', /1 to 100/],
  ['an unknown option', { type: 'image/webp' }, 'type', /not an option of encodeImage/],
  [
    'a long text in JPEG',
    { format: 'jpeg', parameters: { prompt: 'a'.repeat(40_000) } },
    'settings',
    /longer than a JPEG file holds/,
  ],
])('%s is refused', async (_, options, option, message) => {
  const encoding = encodeImage(smooth(8, 8), options);
  await expect(encoding).rejects.toMatchObject({ code: 'invalid-option', option });
  await expect(encoding).rejects.toThrow(message);
});

test('long settings are kept by WebP, AVIF and PNG', async () => {
  for (const format of ['webp', 'avif', 'png'] as const) {
    const file = await encodeImage(smooth(8, 8), { format, parameters: { prompt: '汽'.repeat(40_000) } });
    expect((await readParameters(file))!.prompt).toHaveLength(40_000);
  }
});

describe('files by Pillow', () => {
  test.each(Object.entries(golden.settings))('A1111’s settings in %s', async (_, file) => {
    expect(await readParameters(bytesOf(file))).toEqual({
      prompt: 'a car, 汽车 \u{1f697}',
      negativePrompt: 'blurry',
      settings: { Steps: '20', Sampler: 'Euler a', 'CFG scale': '7.0', Seed: '42', Size: '12x8' },
    });
  });

  test('a graph without a sampler has no settings', async () => {
    expect(await readParameters(bytesOf(golden.comfy))).toBeUndefined();
  });

  test.each(Object.entries(golden.turned))('%s is turned upright', async (_, { file, size, rgb }) => {
    const image = await readImage(bytesOf(file));
    expect([image.width, image.height]).toEqual(size);
    expect(largestDifference(rgbOf(image), bytesOf(rgb))).toBeLessThan(12);
  });
});

test('a WebP file of 16384 x 16384 pixels, and an animated one, are refused before they are decoded', async () => {
  const file = await encodeImage(smooth(8, 8), { format: 'webp', parameters });
  const large = file.slice();
  large.fill(255, 24, 30);
  await expect(readImage(large)).rejects.toThrow('16777216 x 16777216');
  const animated = file.slice();
  animated[20] |= 2;
  await expect(readImage(animated)).rejects.toThrow(/animated/);
});

test('an AVIF file whose header has too many pixels is refused before it is decoded', async () => {
  const file = await encodeImage(smooth(8, 8), { format: 'avif' });
  const at = Buffer.from(file).indexOf('ispe');
  file.fill(127, at + 8, at + 16);
  await expect(readImage(file)).rejects.toThrow(/more than the limit/);
});

test('other files have no settings to read', async () => {
  await expect(readParameters(Uint8Array.from(Buffer.from('GIF89a')))).rejects.toMatchObject({ option: 'file' });
  await expect(readParameters('cat.png' as unknown as Uint8Array)).rejects.toMatchObject({ option: 'file' });
  await expect(readParameters((await encodePng(smooth(2, 2))).subarray(0, 30))).rejects.toMatchObject({
    option: 'file',
  });
});
