import { InvalidOptionError } from '@sd/core';
import { canvas } from './canvas.js';
import type { SdImage } from './image.js';
import type { Pixels } from './png/encode.js';
import { sdImage } from './sd-image.js';
import { checkSize } from './size.js';

/**
 * A picture with every pixel repeated `factor` times in both directions: for previews, which have one pixel a latent.
 * Throws an InvalidOptionError (`factor`) for what is no whole number from 1 up, or makes the picture too large.
 */
export function enlarge(picture: Pixels, factor: number): SdImage {
  if (!Number.isSafeInteger(factor) || factor < 1) {
    throw new InvalidOptionError('factor', `must be a whole number from 1 up, not ${factor}.`);
  }
  const [width, height] = [picture.width * factor, picture.height * factor];
  checkSize(width, height, 'factor');
  const large = canvas(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (Math.floor(y / factor) * picture.width + Math.floor(x / factor)) * 4;
      for (let channel = 0; channel < 4; channel++) {
        large.data[(y * width + x) * 4 + channel] = picture.data[from + channel]!;
      }
    }
  }
  return sdImage(large);
}
