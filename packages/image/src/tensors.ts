import { type Tensor, tensor } from '@sd/core';
import { compositeOnWhite } from './flatten.js';
import type { Pixels } from './pixels.js';

/**
 * An image as the VAE's encoder takes it: [1, 3, height, width] from -1 to 1, `2 * (x / 255) - 1` in float32, as in
 * diffusers' VaeImageProcessor. Transparent pixels are first composited onto white, in 8 bits; diffusers instead ignores
 * alpha and reveals the hidden colour.
 */
export function imageTensor(image: Pixels): Tensor<'float32'> {
  const { width, height, data } = compositeOnWhite(image);
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++) {
      out[channel * size + i] = 2 * Math.fround(data[i * 4 + channel] / 255) - 1;
    }
  }
  return tensor('float32', [1, 3, height, width], out);
}

/** An image as ControlNets and T2I-Adapters take it: [1, 3, height, width] from 0 to 1, composited onto white. */
export function unitTensor(image: Pixels): Tensor<'float32'> {
  const { width, height, data } = compositeOnWhite(image);
  const size = width * height;
  const out = new Float32Array(3 * size);
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++) out[channel * size + i] = data[i * 4 + channel] / 255;
  }
  return tensor('float32', [1, 3, height, width], out);
}

/**
 * A binary mask from an image: [1, 1, height, width] of 1 (white: repaint) and 0 (black: keep), thresholded at mid-gray.
 * Gray is as in Pillow's `convert('L')` (ITU-R 601-2). As in diffusers, alpha is ignored: a transparent pixel counts with
 * its hidden colour.
 */
export function maskTensor(image: Pixels): Tensor<'float32'> {
  const gray = grayTensor(image);
  return { ...gray, data: gray.data.map((value) => (value >= 0.5 ? 1 : 0)) };
}

/** An image in grayscale, [1, 1, height, width] from 0 to 1, weighted as in `maskTensor`. */
export function grayTensor({ width, height, data }: Pixels): Tensor<'float32'> {
  const out = new Float32Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const gray = (data[i * 4] * 19595 + data[i * 4 + 1] * 38470 + data[i * 4 + 2] * 7471 + 0x8000) >> 16;
    out[i] = gray / 255;
  }
  return tensor('float32', [1, 1, height, width], out);
}
