import { readFileSync } from 'node:fs';
import type { ImagePreprocessing } from '@sd/core';
import { clipPreprocessing, imagePreprocessing } from '@sd/image-encoder';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { clipPreprocess, readPicture } from '../src/index.js';
import golden from './data/clip-preprocess-golden.json' with { type: 'json' };
import { bytesOf, pixelsOf } from './support.js';

describe('clipPreprocess', () => {
  test.each(golden.cases.map((want) => [want.width, want.height, JSON.stringify(want.config), want] as const))(
    'makes of %d x %d what transformers makes of it, to the last bit: %s',
    (_, __, config, want) => {
      const { dims, data } = clipPreprocess(pixelsOf(want), imagePreprocessing(new Config('test', JSON.parse(config))));
      expect(dims).toEqual(want.dims);
      expect(data).toEqual(new Float32Array(bytesOf(want.values).buffer));
    },
  );

  test('makes of the file of an IP-Adapter’s figures the pixel values of diffusers, to the last bit', async () => {
    const folder = fixture('adapters/ip-adapter');
    const picture = await readPicture(readFileSync(`${folder}/image.png`));
    const want = readGolden('golden.safetensors', folder)('ip.pixel_values');
    const got = clipPreprocess(picture, clipPreprocessing(32));
    expect(got.dims).toEqual(want.dims);
    expect(got.data).toEqual(want.data);
  });

  test('lays what is not opaque on white', () => {
    const white: ImagePreprocessing = { rescale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
    const clear = { width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 0) };
    expect([...clipPreprocess(clear, white).data]).toEqual([1, 1, 1]);
  });

  test('refuses a line that scaling would make too large, by its name', () => {
    const line = { width: 1, height: 4000, data: new Uint8Array(4 * 4000) };
    const asked = () => clipPreprocess(line, clipPreprocessing(224), 'imagePrompts');
    expect(asked).toThrow(expect.objectContaining({ code: 'invalid-option', option: 'imagePrompts' }));
  });
});
