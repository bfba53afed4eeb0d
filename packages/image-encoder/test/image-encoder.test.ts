import { CheckpointError, DisposedError, TensorError, tensor, UnsupportedError } from '@sd/core';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { clipVisionConfig, imagePreprocessing } from '../src/index.js';
import { imageEncoderSuite, mockImageEncoder } from '../src/testing.js';
import { encoderIn, golden, size } from './encoder.js';

test.each([
  ...imageEncoderSuite({ create: () => encoderIn(), size }).map((c) => ({ ...c, stage: 'the checkpoint' })),
  ...imageEncoderSuite({ create: () => mockImageEncoder({ size }), size }).map((c) => ({ ...c, stage: 'the mock' })),
])('conformance of $stage: $name', ({ run }) => run());

test('the same embedding as transformers, using all tensors', async () => {
  const encoder = await encoderIn();
  const [{ embedding, hidden }] = await encoder.encode(golden('ip.pixel_values'));
  await encoder.dispose?.();
  expect(encoder.unusedTensors).toEqual([]);
  expect(embedding.dims).toEqual([24]);
  expect(hidden.dims).toEqual([17, 32]);
  expect(stageError('image-encoder', embedding.data, golden('ip.image_embeds').data)).toBeLessThan(1e-5);
});

test('the same penultimate hidden states as transformers, for an image and for zeros', async () => {
  const plus = readGolden('golden.safetensors', fixture('adapters/ip-adapter-plus'));
  const encoder = await encoderIn();
  const pixels = plus('ip.pixel_values');
  const [image] = await encoder.encode(pixels);
  const [zeros] = await encoder.encode(tensor('float32', pixels.dims));
  await encoder.dispose?.();
  expect(stageError('image-encoder', image.hidden.data, plus('ip.hidden_states').data)).toBeLessThan(1e-5);
  expect(stageError('image-encoder', zeros.hidden.data, plus('ip.negative_hidden_states').data)).toBeLessThan(1e-5);
});

describe('refuses', () => {
  test('an image of another size', async () => {
    const encoder = await encoderIn();
    const error = await encoder.encode(tensor('float32', [1, 3, 32, 40])).catch((e: unknown) => e);
    await encoder.dispose?.();
    expect(error).toBeInstanceOf(TensorError);
    expect((error as Error).message).toMatch(/input must be float32 \[\*, 3, 32, 32\], not float32 \[1, 3, 32, 40\]/);
  });

  test('anything after dispose, but not after release', async () => {
    const encoder = await encoderIn();
    await encoder.load?.();
    await encoder.release?.();
    expect(await encoder.encode(golden('ip.pixel_values'))).toHaveLength(1);
    await encoder.dispose?.();
    await expect(encoder.encode(golden('ip.pixel_values'))).rejects.toBeInstanceOf(DisposedError);
  });
});

describe('config', () => {
  const read = (values: Record<string, unknown>) => clipVisionConfig(new Config('image_encoder/config.json', values));

  test("has transformers' defaults", () => {
    expect(read({})).toEqual({
      width: 768,
      layers: 12,
      heads: 12,
      feedForwardWidth: 3072,
      projectionWidth: 512,
      channels: 3,
      imageSize: 224,
      patchSize: 32,
      activation: 'quick_gelu',
      epsilon: 1e-5,
    });
  });

  test.each([
    ['an unsupported activation', { hidden_act: 'relu' }, /hidden_act is "relu"/],
    ['a model of another kind', { model_type: 'siglip_vision_model' }, /model_type is "siglip_vision_model"/],
  ])('names %s', (_, values, message) => {
    expect(() => read(values)).toThrow(UnsupportedError);
    expect(() => read(values)).toThrow(message);
  });
});

describe('preprocessor_config.json', () => {
  const file = 'image_encoder/preprocessor_config.json';
  const read = (values: Record<string, unknown>) => imagePreprocessing(new Config(file, values));
  const defaults = {
    resize: { shortestEdge: 224 },
    crop: { width: 224, height: 224 },
    rescale: 1 / 255,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  };

  test("has transformers' defaults", () => expect(read({})).toEqual(defaults));

  test('has plain numbers as sizes in older files', () => {
    const old = { size: 336, crop_size: 320, feature_extractor_type: 'CLIPFeatureExtractor', resample: 3 };
    expect(read(old)).toEqual({ ...defaults, resize: { shortestEdge: 336 }, crop: { width: 320, height: 320 } });
  });

  test('may set all values', () => {
    const values = {
      size: { height: 40, width: 30 },
      crop_size: { height: 20, width: 10 },
      rescale_factor: 0.5,
      image_mean: [1, 2, 3],
      image_std: [4, 5, 6],
    };
    expect(read(values)).toEqual({
      resize: { height: 40, width: 30 },
      crop: { height: 20, width: 10 },
      rescale: 0.5,
      mean: [1, 2, 3],
      std: [4, 5, 6],
    });
  });

  test('may disable every step', () => {
    const none = { do_resize: false, do_center_crop: false, do_rescale: false, do_normalize: false };
    expect(read(none)).toEqual({ rescale: 1, mean: [0, 0, 0], std: [1, 1, 1] });
  });

  test.each([
    ['size', { size: { longest_edge: 224 } }],
    ['size', { size: { shortest_edge: 224, longest_edge: 300 } }],
    ['size', { size: -1 }],
    ['size', { size: { height: 2.5, width: 2 } }],
    ['crop_size', { crop_size: { height: 224 } }],
    ['crop_size', { crop_size: 'large' }],
    ['image_mean', { image_mean: [0.5] }],
  ])('names an invalid %s: %o', (key, values) => {
    expect(() => read(values)).toThrow(CheckpointError);
    expect(() => read(values)).toThrow(`${file}: ${key} is `);
  });

  test('names an unsupported filter', () => {
    expect(() => read({ resample: 2 })).toThrow(UnsupportedError);
  });
});
