import { expectTensor, type Tensor, tensor } from '@sd/core';

/**
 * Resizes latents [1, channels, h, w] bilinearly, as `torch.nn.functional.interpolate(mode='bilinear')` does by default:
 * without aligned corners, with edge values repeated. Throws a TensorError (`bad-tensor`) for another shape.
 */
export function resizeLatents(latents: Tensor<'float32'>, height: number, width: number): Tensor<'float32'> {
  expectTensor('Latents to resize', latents, 'float32', [1, -1, -1, -1]);
  const [, channels, fromHeight, fromWidth] = latents.dims as [number, number, number, number];
  const rows = taps(fromHeight, height);
  const columns = taps(fromWidth, width);
  const out = tensor('float32', [1, channels, height, width]);
  let i = 0;
  for (let channel = 0; channel < channels; channel++) {
    const at = (y: number, x: number) => latents.data[(channel * fromHeight + y) * fromWidth + x];
    for (const [top, bottom, down] of rows) {
      for (const [left, right, across] of columns) {
        const above = at(top, left) * (1 - across) + at(top, right) * across;
        const below = at(bottom, left) * (1 - across) + at(bottom, right) * across;
        out.data[i++] = above * (1 - down) + below * down;
      }
    }
  }
  return out;
}

/** For each new position, its two neighbours among the old ones, and the fraction of the way between them. */
function taps(size: number, newSize: number): (readonly [before: number, after: number, fraction: number])[] {
  return Array.from({ length: newSize }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * size) / newSize - 0.5);
    const before = Math.min(Math.floor(at), size - 1);
    return [before, Math.min(before + 1, size - 1), at - before] as const;
  });
}
