import { rm } from 'node:fs/promises';
import { CheckpointError, SourceError } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { renamed, tensorsOf, toHalf, toSingle, writeVariant } from '../../../fixtures/variants.js';
import { embeddingsOf, encoderIn, golden } from './encoder.js';

const folders: string[] = [];
async function writeFolder(options: Parameters<typeof writeVariant>[1]): Promise<string> {
  const folder = await writeVariant('text_encoder', options);
  folders.push(folder);
  return folder;
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

let plain: Awaited<ReturnType<typeof embeddingsOf>>;
beforeAll(async () => {
  plain = await embeddingsOf();
});

describe('the output is the same, to the bit, with', () => {
  test('tensors under text_model., and the position ids of older files', async () => {
    const tensors = (await tensorsOf('text_encoder')).map((tensor) => renamed(tensor, `text_model.${tensor.name}`));
    const positions = BigInt64Array.from({ length: 77 }, (_, i) => BigInt(i));
    tensors.push({
      name: 'text_model.embeddings.position_ids',
      dtype: 'I64',
      shape: [1, 77],
      bytes: () => new Uint8Array(positions.buffer),
    });
    expect(await embeddingsOf(await writeFolder({ tensors }))).toEqual(plain);
  });

  test('sharded weights', async () => {
    const folder = await writeFolder({
      files: ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
      index: 'model.safetensors.index.json',
    });
    expect(await embeddingsOf(folder)).toEqual(plain);
  });

  test('a config with 2 as the end token, which means the largest id', async () => {
    expect(await embeddingsOf(await writeFolder({ config: { eos_token_id: 2 } }))).toEqual(plain);
  });
});

describe('half precision', () => {
  test('gives the same output as float32 files of the rounded weights, to the bit', async () => {
    const half = toHalf(await tensorsOf('text_encoder'));
    const rounded = await embeddingsOf(await writeFolder({ tensors: toSingle(half) }));
    expect(await embeddingsOf(await writeFolder({ tensors: half }))).toEqual(rounded);
    // Each weight moves by up to 2^-11 (5e-4) of itself; over all layers that adds up to a few times as much.
    expect(relativeError(rounded.hidden, golden('text.last_hidden_state').data)).toBeLessThan(2e-3);
  });

  test.each([
    [['model.fp16.safetensors'], undefined],
    [
      ['model.fp16-00001-of-00002.safetensors', 'model.fp16-00002-of-00002.safetensors'],
      'model.safetensors.index.fp16.json',
    ],
    [
      ['model.fp16-00001-of-00002.safetensors', 'model.fp16-00002-of-00002.safetensors'],
      'model.fp16.safetensors.index.json',
    ],
  ])('is found in %s by %s', async (files, index) => {
    const tensors = toHalf(await tensorsOf('text_encoder'));
    const folder = await writeFolder({ tensors, files, index });
    const alone = await embeddingsOf(await writeFolder({ tensors }));
    expect(await embeddingsOf(folder)).toEqual(alone);
    expect(await embeddingsOf(folder, 'fp16')).toEqual(alone);
  });
});

test('a tensor that the graph does not use is listed', async () => {
  const extra = { name: 'text_projection.weight', dtype: 'F32' as const, shape: [1], bytes: () => new Uint8Array(4) };
  const folder = await writeFolder({ tensors: [...(await tensorsOf('text_encoder')), extra] });
  expect((await encoderIn(folder)).unusedTensors).toEqual(['text_projection.weight']);
});

test('a missing tensor, a misshapen tensor and a missing file are named', async () => {
  const name = 'encoder.layers.1.mlp.fc1.weight';
  const all = await tensorsOf('text_encoder');
  const without = await writeFolder({ tensors: all.filter((tensor) => tensor.name !== name) });
  const missing = await encoderIn(without).catch((error: unknown) => error);
  expect(missing).toBeInstanceOf(CheckpointError);
  expect(missing).toMatchObject({ code: 'missing-tensor', tensor: name, file: 'text_encoder/model.safetensors' });

  const misshapen = await encoderIn(await writeFolder({ config: { intermediate_size: 64 } })).catch((e: unknown) => e);
  expect(misshapen).toMatchObject({ code: 'misshapen-tensor', tensor: 'encoder.layers.0.mlp.fc1.weight' });
  expect((misshapen as Error).message).toMatch(/has the shape \[128, 32\], but its config asks for \[64, 32\]/);

  const nothing = await encoderIn(await writeFolder({ files: ['model.ckpt'] })).catch((e: unknown) => e);
  expect(nothing).toBeInstanceOf(SourceError);
  expect(nothing).toMatchObject({ code: 'not-found', path: 'text_encoder' });
  expect((nothing as Error).message).toMatch(/looked for text_encoder\/model\.safetensors,.*pytorch_model\.bin/);
});
