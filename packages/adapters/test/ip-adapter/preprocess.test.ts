import { readFileSync } from 'node:fs';
import type { ImagePreprocessing } from '@sd/core';
import { type Pixels, preprocessImage, readImage } from '@sd/image';
import { clipPreprocessing, imagePreprocessing } from '@sd/image-encoder';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import golden from '../data/clip-preprocess-golden.json' with { type: 'json' };

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const pixelsOf = ({ width, height, rgba }: { width: number; height: number; rgba: string }): Pixels => ({
  width,
  height,
  data: bytesOf(rgba),
});

describe('preprocessImage', () => {
  test.each(golden.cases.map((want) => [want.width, want.height, JSON.stringify(want.config), want] as const))(
    '%d x %d as in transformers, to the last bit: %s',
    (_, __, config, want) => {
      const { dims, data } = preprocessImage(
        pixelsOf(want),
        imagePreprocessing(new Config('test', JSON.parse(config))),
      );
      expect(dims).toEqual(want.dims);
      expect(data).toEqual(new Float32Array(bytesOf(want.values).buffer));
    },
  );

  test('matches diffusers’ pixel values for an IP-Adapter’s image, to the last bit', async () => {
    const folder = fixture('adapters/ip-adapter');
    const image = await readImage(readFileSync(`${folder}/image.png`));
    const want = readGolden('golden.safetensors', folder)('ip.pixel_values');
    const got = preprocessImage(image, clipPreprocessing(32));
    expect(got.dims).toEqual(want.dims);
    expect(got.data).toEqual(want.data);
  });

  test('composites transparent pixels onto white', () => {
    const white: ImagePreprocessing = { rescale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
    const clear = { width: 1, height: 1, data: Uint8Array.of(0, 0, 0, 0) };
    expect([...preprocessImage(clear, white).data]).toEqual([1, 1, 1]);
  });

  test('refuses an image so narrow that scaling makes it too large, and names the option', () => {
    const line = { width: 1, height: 4000, data: new Uint8Array(4 * 4000) };
    const preprocess = () => preprocessImage(line, clipPreprocessing(224), 'imagePrompts');
    expect(preprocess).toThrow(expect.objectContaining({ code: 'invalid-option', option: 'imagePrompts' }));
  });
});
