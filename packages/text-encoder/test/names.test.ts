import { openFolder } from '@sd/backend-node';
import { openSafetensors, type TensorView } from '@sd/weights';
import { expect, test } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { clipTextNames, openClipTensors } from '../src/single-file.js';

async function tensorsIn(folder: string, file: string) {
  const source = await openFolder(folder);
  const { tensors } = await openSafetensors(source, file);
  const bytes = await source.read(file);
  /** The values of a view, as seen through a transposition. */
  const valuesOf = ({ offset, length, shape, transposed }: TensorView) => {
    const values = new Float32Array(bytes.slice(offset, offset + length).buffer);
    const [rows, columns] = shape as [number, number];
    return transposed ? values.map((_, i) => values[(i % columns) * rows + Math.floor(i / columns)]) : values;
  };
  return { tensors, valuesOf };
}

test.each([
  ['sd2', 'text_encoder', 'cond_stage_model.model.'],
  ['sdxl', 'text_encoder_2', 'conditioner.embedders.1.model.'],
])('open_clip’s tensors of %s become those of its folder, as views', async (model, part, prefix) => {
  const file = await tensorsIn(fixture('adapters/single-file'), `${model}.safetensors`);
  const folder = await tensorsIn(fixture(`models/${model}`), `${part}/model.safetensors`);
  const prefixed = [...file.tensors].filter(([name]) => name.startsWith(prefix));
  const found = openClipTensors(new Map(prefixed.map(([name, view]) => [name.slice(prefix.length), view])));
  const wanted = new Map([...folder.tensors].map(([name, view]) => [clipTextNames(name)!, view]));
  wanted.delete(undefined as never);
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, view] of found) {
    expect([name, view.shape]).toEqual([name, wanted.get(name)!.shape]);
    expect([name, file.valuesOf(view)]).toEqual([name, folder.valuesOf(wanted.get(name)!)]);
    expect(view.file).toBe(prefixed[0][1].file);
  }
});

test('the projection of a linear layer is not transposed; other names are unchanged', () => {
  const view = { name: 'x', dtype: 'F32', shape: [2, 3], offset: 0, length: 24 } as unknown as TensorView;
  const found = openClipTensors(
    new Map([
      ['text_projection.weight', view],
      ['logit_scale', view],
      ['attn_mask', view],
      ['what.is.this', view],
    ]),
  );
  expect([...found]).toEqual([
    ['text_projection.weight', view],
    ['what.is.this', view],
  ]);
});
