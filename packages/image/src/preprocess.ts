import { type ImagePreprocessing, type Tensor, tensor } from '@sd/core';
import { canvas, paste } from './canvas.js';
import { onWhite } from './flatten.js';
import type { Pixels } from './png/encode.js';
import { bicubic, resample } from './resample.js';
import { checkSize } from './size.js';

/**
 * A picture as an image encoder takes it, [1, 3, height, width]: scaled by Pillow's bicubic filter, the middle cut out,
 * black where it is too small, then `(v * rescale - mean) / std` of each 8-bit value. What is not opaque is laid on white
 * first. The values are those of transformers' CLIPImageProcessor with Pillow, to the last bit.
 *
 * Throws an InvalidOptionError (`option`) for a picture so narrow that scaling makes it too large.
 */
export function clipPreprocess(
  picture: Pixels,
  { resize, crop, rescale, mean, std }: ImagePreprocessing,
  option = 'image',
): Tensor<'float32'> {
  let pixels: Pixels = onWhite(picture);
  if (resize !== undefined) {
    const [width, height] = newSize(picture, resize);
    checkSize(width, height, option);
    pixels = resample(pixels, width, height, bicubic);
  }
  if (crop !== undefined) pixels = middle(pixels, crop);

  const { width, height, data } = pixels;
  const size = width * height;
  const out = tensor('float32', [1, 3, height, width]);
  for (let channel = 0; channel < 3; channel++) {
    const [shift, scale] = [Math.fround(mean[channel]!), Math.fround(std[channel]!)];
    for (let i = 0; i < size; i++) {
      const value = Math.fround(data[i * 4 + channel]! * rescale);
      out.data[channel * size + i] = Math.fround(value - shift) / scale;
    }
  }
  return out;
}

function newSize({ width, height }: Pixels, resize: NonNullable<ImagePreprocessing['resize']>): [number, number] {
  if ('width' in resize) return [resize.width, resize.height];
  const { shortestEdge } = resize;
  const longer = Math.floor((shortestEdge * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? [shortestEdge, longer] : [longer, shortestEdge];
}

/** Half a pixel too many on both sides goes off at the right and the bottom, one too few is added at the left and the top. */
function middle(picture: Pixels, { width, height }: NonNullable<ImagePreprocessing['crop']>): Pixels {
  const onto = canvas(width, height);
  paste(onto, picture, -Math.floor((picture.width - width) / 2), -Math.floor((picture.height - height) / 2));
  return onto;
}
