import { TensorError, tensor } from '@sd/core';
import { expect, test } from 'vitest';
import { completeFeeds, Graph } from '../src/index.js';

function model() {
  const g = new Graph();
  const sample = g.input('sample', ['batch', 4, 'height', 'width']);
  const context = g.input('context', ['batch', 'tokens', 8]);
  const residual = g.optionalInput('residual', ['residual:0', 4, 'height', 'width']);
  const bias = g.optionalInput('bias', ['batch', 'tokens']);
  for (const [i, value] of [sample, context, residual, bias].entries()) g.output(`out.${i}`, value);
  return g.finish('unet', { repeated: false });
}

const sample = tensor('float32', [2, 4, 8, 12]);
const context = tensor('float32', [2, 77, 8]);

test('optional inputs default to zeros, of the sizes in other feeds or 1', () => {
  const { residual, bias } = completeFeeds(model(), { sample, context });
  expect([residual.dims, bias.dims]).toEqual([
    [1, 4, 8, 12],
    [2, 77],
  ]);
});

test.each([
  [
    { context: tensor('float32', [3, 77, 8]) },
    'The unet’s sample and context must have the same batch, which is 2 in [2, 4, 8, 12] and 3 in [3, 77, 8].',
  ],
  [
    { residual: tensor('float32', [1, 4, 8, 8]) },
    'The unet’s sample and residual must have the same width, which is 12 in [2, 4, 8, 12] and 8 in [1, 4, 8, 8].',
  ],
  [
    { bias: tensor('float32', [2, 76]) },
    'The unet’s context and bias must have the same tokens, which is 77 in [2, 77, 8] and 76 in [2, 76].',
  ],
])('an error about sizes that must match names both values', (given, message) => {
  const run = () => completeFeeds(model(), { sample, context, ...given });
  expect(run).toThrow(TensorError);
  expect(run).toThrow(message);
});
