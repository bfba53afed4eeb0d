import { openFolder } from '@sd/backend-node';
import { InvalidOptionError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadOnnxTextEncoder } from '../src/onnx.js';
import { textEncoderSuite } from '../src/testing.js';
import { backend, golden, joined, tokens, tokensOf } from './encoder.js';

const encoderIn = async (model: string, folder = 'text_encoder') =>
  loadOnnxTextEncoder({ backend, source: await openFolder(fixture(`models/${model}`)), folder });

test.each(
  textEncoderSuite({ create: () => encoderIn('sdxl-onnx'), tokens }).filter(({ name }) => !/clip ?skip/i.test(name)),
)('conformance: $name', ({ run }) => run());

describe('text encoders that others exported give the numbers of transformers', () => {
  test.each([
    ['sd1-onnx', 'int64'],
    ['sd1-onnx-old', 'int32'],
    ['sd1-onnx-script', 'int32'],
  ])('%s, which takes ids as %s', async (model, type) => {
    const encoder = await encoderIn(model);
    expect(encoder.file.inputs).toMatchObject([{ name: 'input_ids', type }]);
    const embeddings = await encoder.encode(tokens);
    await encoder.dispose?.();
    const hidden = joined(embeddings.map((one) => one.hidden.data));
    expect(stageError(model, hidden, golden('text.last_hidden_state').data)).toBeLessThan(1e-5);
    const pooled = joined(embeddings.map((one) => one.pooled!.data));
    expect(stageError(model, pooled, golden('text.pooled').data)).toBeLessThan(1e-5);
  });

  test.each([
    ['text_encoder', 'text', 'pooled'],
    ['text_encoder_2', 'text2', 'text_embeds'],
  ])('of SDXL: %s', async (folder, prefix, whole) => {
    const figures = readGolden('golden.safetensors', fixture('models/sdxl'));
    const encoder = await encoderIn('sdxl-onnx', folder);
    const embeddings = await encoder.encode(tokensOf(figures, prefix), { output: 'penultimate' });
    await encoder.dispose?.();
    const hidden = joined(embeddings.map((one) => one.hidden.data));
    expect(stageError('sdxl-onnx', hidden, figures(`${prefix}.hidden_penultimate`).data)).toBeLessThan(1e-5);
    const pooled = joined(embeddings.map((one) => one.pooled!.data));
    expect(stageError('sdxl-onnx', pooled, figures(`${prefix}.${whole}`).data)).toBeLessThan(1e-5);
  });

  test('in half precision', async () => {
    const want = readGolden('golden.safetensors', fixture('models/sd1-onnx-float16'))('text.last_hidden_state');
    const encoder = await encoderIn('sd1-onnx-float16');
    const embeddings = await encoder.encode(tokens);
    await encoder.dispose?.();
    const hidden = joined(embeddings.map((one) => one.hidden.data));
    expect(stageError('sd1-onnx-float16', hidden, want.data)).toBeLessThan(2e-3);
  });
});

test('layers that an export has, and those that it has not', async () => {
  const [all, last] = [await encoderIn('sdxl-onnx'), await encoderIn('sd1-onnx')];
  await expect(all.encode(tokens, { output: 'penultimate', clipSkip: 2 })).resolves.toHaveLength(2);
  await expect(all.encode(tokens, { output: 'penultimate', clipSkip: 3 })).rejects.toThrow(InvalidOptionError);
  await expect(last.encode(tokens, { clipSkip: 1 })).rejects.toThrow(UnsupportedError);
  await expect(last.encode(tokens, { output: 'penultimate' })).rejects.toThrow('without the hidden states');
  await expect(encoderIn('sd1-onnx', 'unet')).rejects.toThrow('it is no text encoder');
  await Promise.all([all.dispose?.(), last.dispose?.()]);
});
