import { CheckpointError, DisposedError, InvalidOptionError, TensorError, UnsupportedError } from '@sd/core';
import { Config } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { clipTextConfig } from '../src/index.js';
import { mockTextEncoder, textEncoderSuite } from '../src/testing.js';
import { encoderIn, golden, tokens } from './encoder.js';

test.each([
  ...textEncoderSuite({ create: () => encoderIn(), tokens }).map((c) => ({ ...c, stage: 'the checkpoint' })),
  ...textEncoderSuite({ create: () => mockTextEncoder(), tokens }).map((c) => ({ ...c, stage: 'the mock' })),
])('conformance of $stage: $name', ({ run }) => run());

test('a batch of two equals two single runs', async () => {
  const encoder = await encoderIn();
  const both = await encoder.encode(tokens);
  for (const i of [0, 1]) {
    const [alone] = await encoder.encode([tokens[i]]);
    expect(alone.hidden.dims).toEqual([77, 32]);
    expect(relativeError(alone.hidden.data, both[i].hidden.data)).toBeLessThan(1e-6);
    expect(alone.pooled!.dims).toEqual([32]);
    expect(relativeError(alone.pooled!.data, both[i].pooled!.data)).toBeLessThan(1e-6);
  }
  await encoder.dispose?.();
});

test('each clipSkip gives another layer', async () => {
  const encoder = await encoderIn();
  const layers = [];
  for (const clipSkip of [0, 1, 2]) layers.push((await encoder.encode([tokens[0]], { clipSkip }))[0].hidden.data);
  await encoder.dispose?.();
  expect(relativeError(layers[0], golden('text.last_hidden_state').data.subarray(0, 77 * 32))).toBeLessThan(1e-5);
  expect(relativeError(layers[1], layers[0])).toBeGreaterThan(0.01);
  expect(relativeError(layers[2], layers[1])).toBeGreaterThan(0.01);
});

describe('refuses', () => {
  test.each([-1, 0.5, 3, Number.NaN])('a clipSkip of %s for three layers', async (clipSkip) => {
    const error = await failure((encoder) => encoder.encode(tokens, { clipSkip }));
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option: 'clipSkip', message: expect.stringMatching(/from 0 to 2/) });
  });

  test('a window of another length', async () => {
    const short = { ids: new Int32Array(32), length: 2, truncated: '' };
    const error = await failure((encoder) => encoder.encode([tokens[0], short]));
    expect(error).toBeInstanceOf(TensorError);
    expect(error.message).toMatch(/77 tokens per prompt, but prompt 1 has 32/);
  });

  test('anything after dispose, but not after release', async () => {
    const encoder = await encoderIn();
    await encoder.load?.();
    await encoder.release?.();
    expect(await encoder.encode(tokens)).toHaveLength(2);
    await encoder.dispose?.();
    await expect(encoder.encode(tokens)).rejects.toBeInstanceOf(DisposedError);
  });

  async function failure(run: (encoder: Awaited<ReturnType<typeof encoderIn>>) => Promise<unknown>): Promise<Error> {
    const encoder = await encoderIn();
    try {
      return await run(encoder).then(
        () => expect.unreachable('it was encoded'),
        (error: Error) => error,
      );
    } finally {
      await encoder.dispose?.();
    }
  }
});

describe('config', () => {
  const read = (values: Record<string, unknown>) => clipTextConfig(new Config('text_encoder/config.json', values));

  test("has transformers' defaults", () => {
    expect(read({})).toEqual({
      vocabSize: 49408,
      width: 512,
      layers: 12,
      heads: 8,
      feedForwardWidth: 2048,
      maxLength: 77,
      activation: 'quick_gelu',
      epsilon: 1e-5,
      endId: 49407,
      projectionWidth: undefined,
    });
    expect(read({ architectures: ['CLIPTextModelWithProjection'], projection_dim: 40 }).projectionWidth).toBe(40);
  });

  test('names an unsupported activation', () => {
    expect(() => read({ hidden_act: 'relu' })).toThrow(UnsupportedError);
    expect(() => read({ hidden_act: 'relu' })).toThrow(
      /text_encoder\/config\.json: hidden_act is "relu"; this version supports "quick_gelu", "gelu"/,
    );
  });

  test('names a value of the wrong type', () => {
    expect(() => read({ hidden_size: '512' })).toThrow(CheckpointError);
    expect(() => read({ hidden_size: '512' })).toThrow(/hidden_size is "512", not a number/);
  });
});
