import { type ImagePreprocessing, type Tensor, tensor } from '@sd/core';
import { canvas, paste } from './canvas.js';
import { compositeOnWhite } from './flatten.js';
import type { Pixels } from './pixels.js';
import { bicubic, resample } from './resample.js';
import { checkSize } from './size.js';

/**
 * Prepares an image for an image encoder, [1, 3, height, width]: composited onto white, scaled with Pillow's bicubic
 * filter, cropped to its centre (padded with black if too small), then `(value * rescale - mean) / std` of each 8-bit
 * value. The same as transformers' CLIPImageProcessor with Pillow, to the last bit.
 *
 * Throws an InvalidOptionError (`option`) for an image so narrow that scaling makes it too large.
 */
export function preprocessImage(
  image: Pixels,
  { resize, crop, rescale, mean, std }: ImagePreprocessing,
  option = 'image',
): Tensor<'float32'> {
  let pixels: Pixels = compositeOnWhite(image);
  if (resize !== undefined) {
    const [width, height] = newSize(image, resize);
    checkSize(width, height, option);
    pixels = resample(pixels, width, height, bicubic);
  }
  if (crop !== undefined) pixels = cropCentre(pixels, crop);

  const { width, height, data } = pixels;
  const size = width * height;
  const out = tensor('float32', [1, 3, height, width]);
  for (let channel = 0; channel < 3; channel++) {
    const [shift, scale] = [Math.fround(mean[channel]), Math.fround(std[channel])];
    for (let i = 0; i < size; i++) {
      const value = Math.fround(data[i * 4 + channel] * rescale);
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

/** An odd surplus is cropped once more at the right and the bottom; an odd shortage is padded once more at the left and the top. */
function cropCentre(image: Pixels, { width, height }: NonNullable<ImagePreprocessing['crop']>): Pixels {
  const onto = canvas(width, height);
  paste(onto, image, -Math.floor((image.width - width) / 2), -Math.floor((image.height - height) / 2));
  return onto;
}
