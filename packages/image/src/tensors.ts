import { type Tensor, tensor } from '@sd/core';
import { onWhite } from './flatten.js';
import type { Pixels } from './png/encode.js';

/**
 * A picture as the VAE's encoder takes it: [1, 3, height, width] from -1 to 1, `2 * (x / 255) - 1` in float32 as
 * diffusers' VaeImageProcessor has it. What is not opaque is laid on white first, rounded to 8 bits; diffusers drops
 * the alpha of a file instead, and shows whatever colour stands behind it.
 */
export function pictureTensor(picture: Pixels): Tensor<'float32'> {
  const { width, height, data } = onWhite(picture);
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++) {
      out[channel * size + i] = 2 * Math.fround(data[i * 4 + channel]! / 255) - 1;
    }
  }
  return tensor('float32', [1, 3, height, width], out);
}

/** A picture as ControlNets and their like take it: [1, 3, height, width] from 0 to 1. What is not opaque is laid on white. */
export function shareTensor(picture: Pixels): Tensor<'float32'> {
  const { width, height, data } = onWhite(picture);
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++) out[channel * size + i] = data[i * 4 + channel]! / 255;
  }
  return tensor('float32', [1, 3, height, width], out);
}

/**
 * A mask from any picture: [1, 1, height, width] of 1 (white: repaint) and 0 (black: keep), cut at the middle of its
 * gray, which has Pillow's weights of `convert('L')` (ITU-R 601-2). Alpha has no part, as in diffusers: a transparent
 * pixel counts with the colour that stands behind it.
 */
export function maskTensor(picture: Pixels): Tensor<'float32'> {
  const gray = grayTensor(picture);
  return { ...gray, data: gray.data.map((value) => (value >= 0.5 ? 1 : 0)) };
}

/** A picture's grays, [1, 1, height, width] from 0 to 1, with the weights of `maskTensor`. */
export function grayTensor({ width, height, data }: Pixels): Tensor<'float32'> {
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const gray = (data[i * 4]! * 19595 + data[i * 4 + 1]! * 38470 + data[i * 4 + 2]! * 7471 + 0x8000) >> 16;
    out[i] = gray / 255;
  }
  return tensor('float32', [1, 1, height, width], out);
}
