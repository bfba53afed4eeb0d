import { openFolder } from '@sd/backend-node';
import { TensorError, type Tokens, tensor } from '@sd/core';
import { openSafetensors } from '@sd/weights';
import { expect, test } from 'vitest';
import { sd1 } from '../../../fixtures/golden.js';
import { encoderIn, tokens } from './encoder.js';

const vocabSize = 1196;
const [first] = tokens;

/** The first prompt with other ids at some positions. */
const withIds = (ids: Record<number, number>): Tokens => {
  const all = first.ids.slice();
  for (const [position, id] of Object.entries(ids)) all[Number(position)] = id;
  return { ...first, ids: all };
};

test('ids beyond the vocabulary are rows of token_vectors; others are unchanged, to the bit', async () => {
  const encoder = await encoderIn();
  const vectors = await tableRows([first.ids[2], first.ids[3]]);
  const [plain] = await encoder.encode([first]);
  const learned = { conditions: { token_vectors: vectors } };
  const [unused] = await encoder.encode([first], learned);
  const [same] = await encoder.encode([withIds({ 2: vocabSize, 3: vocabSize + 1 })], learned);
  const [swappedVectors] = await encoder.encode([withIds({ 2: vocabSize + 1, 3: vocabSize })], learned);
  const [swappedIds] = await encoder.encode([withIds({ 2: first.ids[3], 3: first.ids[2] })]);
  await encoder.dispose?.();
  expect(unused).toEqual(plain);
  expect(same).toEqual(plain);
  expect(swappedVectors).toEqual(swappedIds);
  expect(swappedVectors.hidden.data).not.toEqual(plain.hidden.data);
});

test('an id without a vector is an error that names it', async () => {
  const encoder = await encoderIn();
  const run = encoder.encode([first, withIds({ 5: vocabSize + 1 })], {
    conditions: { token_vectors: tensor('float32', [1, 32]) },
  });
  await expect(run).rejects.toBeInstanceOf(TensorError);
  await expect(run).rejects.toThrow('has 1196 tokens and was given 1 token_vectors, but prompt 1 has the token 1197.');
  await encoder.dispose?.();
});

/** Rows of the fixture's token embedding. */
async function tableRows(ids: readonly number[]) {
  const source = await openFolder(sd1);
  const file = 'text_encoder/model.safetensors';
  const { tensors } = await openSafetensors(source, file);
  const view = [...tensors.values()].find(({ name }) => name.endsWith('token_embedding.weight'))!;
  const bytes = await source.read(file, { start: view.offset, end: view.offset + view.length });
  const table = new Float32Array(bytes.slice().buffer);
  return tensor(
    'float32',
    [ids.length, 32],
    Float32Array.from(ids.flatMap((id) => [...table.slice(32 * id, 32 * (id + 1))])),
  );
}
