import { readFileSync } from 'node:fs';
import { CheckpointError, type Source, SourceError } from '@sd/core';
import { openSafetensors, type TensorToWrite, writeSafetensors } from '@sd/weights';
import { expect, test } from 'vitest';
import { clipPreprocessing, loadImageEncoder } from '../src/index.js';
import { backend, folder, golden } from './encoder.js';

const modelFolder = 'image_encoder';
const files = (): Map<string, Uint8Array> =>
  new Map(
    ['config.json', 'model.safetensors', 'preprocessor_config.json'].map((file) => [
      `${modelFolder}/${file}`,
      new Uint8Array(readFileSync(`${folder}/${modelFolder}/${file}`)),
    ]),
  );

function sourceOf(map: ReadonlyMap<string, Uint8Array>): Source {
  return {
    size: async (path) => map.get(path)?.length,
    async read(path, range) {
      const bytes = map.get(path);
      if (bytes === undefined) throw new SourceError('not-found', path, `${path} is missing.`);
      return range === undefined ? bytes : bytes.slice(range.start, range.end);
    },
  };
}

/** The model's files, with changed tensors. */
async function withTensors(change: (all: TensorToWrite[]) => TensorToWrite[]) {
  const map = files();
  const path = `${modelFolder}/model.safetensors`;
  const bytes = map.get(path)!;
  const { tensors } = await openSafetensors(sourceOf(map), path);
  const all = [...tensors.values()].map(({ name, dtype, shape, offset, length }) => ({
    name,
    dtype,
    shape,
    bytes: () => bytes.subarray(offset, offset + length),
  }));
  const parts: Uint8Array[] = [];
  for await (const part of writeSafetensors(change(all))) parts.push(part);
  return map.set(path, new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()));
}

async function encoded(map: ReadonlyMap<string, Uint8Array>) {
  const encoder = await loadImageEncoder({ source: sourceOf(map), backend });
  const outputs = await encoder.encode(golden('ip.pixel_values'));
  await encoder.dispose?.();
  return { outputs, unused: encoder.unusedTensors };
}

test('tensors without vision_model., with the position ids of older files, give the same output, to the bit', async () => {
  const positions = BigInt64Array.from({ length: 17 }, (_, i) => BigInt(i));
  const older = await withTensors((all) => [
    ...all.map((tensor) => ({ ...tensor, name: tensor.name.replace('vision_model.', '') })),
    {
      name: 'embeddings.position_ids',
      dtype: 'I64',
      shape: [1, 17],
      bytes: () => new Uint8Array(positions.buffer),
    },
  ]);
  expect(await encoded(older)).toEqual(await encoded(files()));
});

test('a missing tensor is named', async () => {
  const name = 'visual_projection.weight';
  const without = await withTensors((all) => all.filter((tensor) => tensor.name !== name));
  const error = await encoded(without).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ code: 'missing-tensor', tensor: name });
});

test('a tensor of the text side is listed as unused', async () => {
  const extra = { name: 'text_projection.weight', dtype: 'F32' as const, shape: [1], bytes: () => new Uint8Array(4) };
  const { unused } = await encoded(await withTensors((all) => [...all, extra]));
  expect(unused).toEqual(['text_projection.weight']);
});

test('without preprocessor_config.json, CLIP’s default preprocessing is used at the model’s size', async () => {
  const map = files();
  map.delete(`${modelFolder}/preprocessor_config.json`);
  const { preprocessing } = await loadImageEncoder({ source: sourceOf(map), backend });
  expect(preprocessing).toEqual(clipPreprocessing(32));
  const loading = loadImageEncoder({ source: sourceOf(map), backend, preprocessor: 'feature_extractor/none.json' });
  await expect(loading).rejects.toMatchObject({ code: 'not-found', path: 'feature_extractor/none.json' });
});
