import { expect, test } from 'vitest';
import { loraOf, normal, reader, rowsOf, sum, type Values } from './support.js';

const name = 'text_encoders.clip_l.transformer.text_model.embeddings.token_embedding';
const table = normal(9, 6);
const [down, up, whole] = [normal(3, 6), normal(9, 3), normal(9, 6)];
const ids = [4, 0, 8, 4];

test.each<[string, Record<string, Values>, (row: number, column: number) => number]>([
  [
    'a product of low rank',
    { 'lora_down.weight': down, 'lora_up.weight': up, alpha: { shape: [], data: Float32Array.of(1.5) } },
    (row, column) => 0.5 * sum(3, (k) => reader(up)(row, k) * reader(down)(k, column)),
  ],
  ['a whole difference', { diff: whole }, reader(whole)],
])('the table of a text encoder, as ComfyUI saves its changes: %s', async (_, tensors, change) => {
  const lora = await loraOf(
    Object.fromEntries(Object.entries(tensors).map(([slot, values]) => [`${name}.${slot}`, values])),
  );
  const got = await rowsOf(table, ids, lora, 0.7);
  ids.forEach((row, i) => {
    for (let column = 0; column < 6; column++) {
      expect(got[i * 6 + column]).toBeCloseTo(reader(table)(row, column) + 0.7 * change(row, column), 5);
    }
  });
  expect(lora.unmatched()).toEqual([]);
});

test('factors of another table do not fit', async () => {
  const lora = await loraOf({ [`${name}.lora_down.weight`]: down, [`${name}.lora_up.weight`]: normal(8, 3) });
  await expect(rowsOf(table, ids, lora, 1)).rejects.toMatchObject({ tensor: `${name}.lora_up.weight` });
});
