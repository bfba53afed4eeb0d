import { expectTensor, type Tensor, tensor } from '@sd/core';

/**
 * Scales a mask [1, 1, rows, columns] to the size of the latents, [1, 1, height, width]: the upper left value of each cell, as
 * `torch.nn.functional.interpolate(mode='nearest')`. Throws a TensorError (`bad-tensor`) for another shape.
 */
export function latentMask(mask: Tensor<'float32'>, height: number, width: number): Tensor<'float32'> {
  expectTensor('A mask', mask, 'float32', [1, 1, -1, -1]);
  const [, , rows, columns] = mask.dims as [number, number, number, number];
  const out = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    const from = nearest(y, rows, height) * columns;
    for (let x = 0; x < width; x++) out[y * width + x] = mask.data[from + nearest(x, columns, width)];
  }
  return tensor('float32', [1, 1, height, width], out);
}

/** torch's source index, computed in float32 as there. */
function nearest(index: number, size: number, newSize: number): number {
  return Math.min(Math.floor(Math.fround(index * Math.fround(size / newSize))), size - 1);
}
