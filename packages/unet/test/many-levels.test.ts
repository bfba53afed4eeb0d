import { Checkpoint } from '@sd/weights';
import { expect, test } from 'vitest';
import { originalUnetNames, unetConfigFromShapes } from '../src/single-file.js';

/** Tensors that count how often all their names are gone through. */
class CountedMap<V> extends Map<string, V> {
  passes = 0;
  override keys() {
    this.passes++;
    return super.keys();
  }
}

function levels(count: number) {
  const file = { readRange: () => undefined };
  const tensors = new CountedMap<{ shape: number[]; file: object }>([
    ['conv_in.weight', { shape: [1, 4, 1, 1], file }],
  ]);
  for (let i = 0; i < count; i++) tensors.set(`down_blocks.${i}.resnets.0.conv1.weight`, { shape: [1, 1, 1, 1], file });
  return tensors;
}

test('the names are gone through once, however many levels they have', () => {
  const tensors = levels(2000);
  const config = unetConfigFromShapes('file', tensors, {});
  expect(tensors.passes).toBe(1);
  expect((config.block_out_channels as number[]).length).toBe(2000);
});

test('a checkpoint looks for modules in a list that is sorted once', () => {
  const views = levels(2000);
  const checkpoint = new Checkpoint('file', views as never);
  const found = Array.from({ length: 2001 }, (_, i) => checkpoint.has(`down_blocks.${i}.resnets`));
  expect([found.filter(Boolean).length, checkpoint.has('down_blocks.1'), checkpoint.has('down_block')]).toEqual([
    2000,
    true,
    false,
  ]);
  expect(views.passes).toBe(1);
});

test('levels of the original layout, told apart by 200,000 downsamplers', () => {
  const names = Array.from({ length: 200_000 }, (_, i) => `input_blocks.${3 * (i + 1)}.0.op.weight`);
  const translate = originalUnetNames(names);
  expect([names[0], names[199_999]].map(translate)).toEqual([
    'down_blocks.0.downsamplers.0.conv.weight',
    'down_blocks.199999.downsamplers.0.conv.weight',
  ]);
});
