import { InvalidOptionError, show } from '@sd/core';
import { canvas } from './canvas.js';
import { type SdImage, toSdImage } from './image.js';
import type { Pixels } from './pixels.js';
import { checkSize } from './size.js';

/**
 * Repeats every pixel `factor` times in both directions: for previews, which have one pixel per latent. Throws an
 * InvalidOptionError (`factor`) if it is not a whole number of at least 1, or makes the image too large.
 */
export function enlarge(image: Pixels, factor: number): SdImage {
  if (!Number.isSafeInteger(factor) || factor < 1) {
    throw new InvalidOptionError('factor', `must be a whole number of at least 1, not ${show(factor)}.`);
  }
  const [width, height] = [image.width * factor, image.height * factor];
  checkSize(width, height, 'factor');
  const large = canvas(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (Math.floor(y / factor) * image.width + Math.floor(x / factor)) * 4;
      for (let channel = 0; channel < 4; channel++) {
        large.data[(y * width + x) * 4 + channel] = image.data[from + channel];
      }
    }
  }
  return toSdImage(large);
}
