import { tensor } from '@sd/core';
import { expect, test } from 'vitest';
import { readGolden } from '../../../fixtures/golden.js';
import { heatMaps, layersNamed, resizeMap } from '../src/attention.js';

const golden = readGolden('attention-maps.safetensors');

test.each([
  [3, 4],
  [5, 7],
  [6, 8],
  [12, 16],
])('a map scaled up to %i x %i as torch does', (height, width) => {
  const small = golden('bicubic.3x4').data;
  const want = golden(`bicubic.${height}x${width}`).data;
  resizeMap(small, [3, 4], [height, width]).forEach((value, i) => {
    expect(value).toBeCloseTo(want[i], 5);
  });
});

test('the mean of a word’s tokens, of the calls, and of the layers', () => {
  const maps = heatMaps<string>();
  const word = new Map([['car', { positions: [1, 2], tokens: 2 }]]);
  maps.add('mid_block', tensor('float32', [1, 3, 1, 1], Float32Array.of(9, 1, 3)), 0, word);
  maps.add('mid_block', tensor('float32', [2, 3, 1, 1], Float32Array.of(9, 9, 9, 9, 3, 5)), 1, word);
  maps.add('up_blocks.0', tensor('float32', [1, 3, 1, 2], Float32Array.of(9, 9, 1, 5, 1, 5)), 0, word);
  maps.add('up_blocks.0', tensor('float32', [1, 3, 1, 2], Float32Array.of(9, 9, 1, 5, 1, 5)), 0, word);
  expect(maps.mapOf('car', [1, 2])).toEqual(Float32Array.of((3 + 1) / 2, (3 + 5) / 2));
  expect(maps.mapOf('road', [1, 2])).toBeUndefined();
});

test('copies of a text share its attention', () => {
  const maps = heatMaps<string>();
  const word = new Map([['car', { positions: [0, 2], tokens: 1 }]]);
  maps.add('mid_block', tensor('float32', [1, 3, 1, 1], Float32Array.of(0.2, 0.5, 0.25)), 0, word);
  expect(maps.mapOf('car', [1, 1])?.[0]).toBeCloseTo(0.45);
});

test('layers by the blocks that they are in', () => {
  const layers = ['down_blocks.1.attentions.0.a', 'mid_block.attentions.0.a', 'up_blocks.1.attentions.0.a'];
  expect(layersNamed(layers, ['mid_block', 'up_blocks'], 'layers')).toEqual(layers.slice(1));
  expect(() => layersNamed(layers, ['up_blocks.10'], 'attentionMaps.layers')).toThrow(
    'attentionMaps.layers: has "up_blocks.10", where this U-Net has no attention to the text. It has some in down_blocks.1, mid_block, up_blocks.1.',
  );
});
