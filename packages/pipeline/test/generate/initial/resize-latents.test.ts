import { tensor } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { resizeLatents } from '../../../src/generate/initial/resize-latents.js';

describe('resizeLatents', () => {
  const resized = (values: number[], size: [number, number], height: number, width: number) =>
    Array.from(resizeLatents(tensor('float32', [1, 1, ...size], Float32Array.from(values)), height, width).data);

  // torch.nn.functional.interpolate(torch.tensor(values)[None, None], size, mode='bilinear')
  test.each([
    ['twice as wide', [1, 2], [1, 2] as [number, number], 1, 4, [1, 1.25, 1.75, 2]],
    ['three to two', [0, 3, 6], [1, 3] as [number, number], 1, 2, [0.75, 5.25]],
    ['two to three', [0, 6], [2, 1] as [number, number], 3, 1, [0, 3, 6]],
    ['one to many', [5], [1, 1] as [number, number], 2, 2, [5, 5, 5, 5]],
    ['both ways', [0, 4, 8, 12], [2, 2] as [number, number], 4, 4, [0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12]],
  ])('%s', (_, values, size, height, width, want) => {
    expect(resized(values, size, height, width)).toEqual(want);
  });
});
