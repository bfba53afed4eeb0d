import { openFolder } from '@sd/backend-node';
import { InvalidOptionError, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadOnnxTextEncoder } from '../src/onnx.js';
import { textEncoderSuite } from '../src/testing.js';
import { backend, concatenate, golden, tokens, tokensOf } from './encoder.js';

const encoderIn = async (model: string, folder = 'text_encoder') =>
  loadOnnxTextEncoder({ backend, source: await openFolder(fixture(`models/${model}`)), folder });

test.each(
  textEncoderSuite({ create: () => encoderIn('sdxl-onnx'), tokens }).filter(({ name }) => !/clip ?skip/i.test(name)),
)('conformance: $name', ({ run }) => run());

describe('exported text encoders give the same outputs as transformers', () => {
  test.each([
    ['sd1-onnx', 'int64'],
    ['sd1-onnx-old', 'int32'],
    ['sd1-onnx-script', 'int32'],
  ])('%s, with ids of type %s', async (model, type) => {
    const encoder = await encoderIn(model);
    expect(encoder.file.inputs).toMatchObject([{ name: 'input_ids', type }]);
    const embeddings = await encoder.encode(tokens);
    await encoder.dispose?.();
    const hidden = concatenate(embeddings.map((embedding) => embedding.hidden.data));
    expect(stageError(model, hidden, golden('text.last_hidden_state').data)).toBeLessThan(1e-5);
    const pooled = concatenate(embeddings.map((embedding) => embedding.pooled!.data));
    expect(stageError(model, pooled, golden('text.pooled').data)).toBeLessThan(1e-5);
  });

  test.each([
    ['text_encoder', 'text', 'pooled'],
    ['text_encoder_2', 'text2', 'text_embeds'],
  ])('of SDXL: %s', async (folder, prefix, pooledName) => {
    const figures = readGolden('golden.safetensors', fixture('models/sdxl'));
    const encoder = await encoderIn('sdxl-onnx', folder);
    const embeddings = await encoder.encode(tokensOf(figures, prefix), { output: 'penultimate' });
    await encoder.dispose?.();
    const hidden = concatenate(embeddings.map((embedding) => embedding.hidden.data));
    expect(stageError('sdxl-onnx', hidden, figures(`${prefix}.hidden_penultimate`).data)).toBeLessThan(1e-5);
    const pooled = concatenate(embeddings.map((embedding) => embedding.pooled!.data));
    expect(stageError('sdxl-onnx', pooled, figures(`${prefix}.${pooledName}`).data)).toBeLessThan(1e-5);
  });

  test('in half precision', async () => {
    const want = readGolden('golden.safetensors', fixture('models/sd1-onnx-float16'))('text.last_hidden_state');
    const encoder = await encoderIn('sd1-onnx-float16');
    const embeddings = await encoder.encode(tokens);
    await encoder.dispose?.();
    const hidden = concatenate(embeddings.map((embedding) => embedding.hidden.data));
    expect(stageError('sd1-onnx-float16', hidden, want.data)).toBeLessThan(2e-3);
  });
});

test('clipSkip needs the layers to be exported', async () => {
  const [all, last] = [await encoderIn('sdxl-onnx'), await encoderIn('sd1-onnx')];
  await expect(all.encode(tokens, { output: 'penultimate', clipSkip: 2 })).resolves.toHaveLength(2);
  await expect(all.encode(tokens, { output: 'penultimate', clipSkip: 3 })).rejects.toThrow(InvalidOptionError);
  await expect(last.encode(tokens, { clipSkip: 1 })).rejects.toThrow(UnsupportedError);
  await expect(last.encode(tokens, { output: 'penultimate' })).rejects.toThrow('without the hidden states');
  await expect(encoderIn('sd1-onnx', 'unet')).rejects.toThrow('it is not a text encoder');
  await Promise.all([all.dispose?.(), last.dispose?.()]);
});
