import { InvalidOptionError, show } from '@sd/core';
import { type Canvas, canvas, paste } from './canvas.js';
import type { Pixels } from './pixels.js';
import { checkSize } from './size.js';

export interface OutpaintOptions {
  /** Pixels to add on each side: 0 by default. */
  readonly left?: number;
  readonly right?: number;
  readonly top?: number;
  readonly bottom?: number;
  /** Pixels that the mask's soft edge reaches into the image: 16 by default. */
  readonly feather?: number;
  /** Initial content of the new area: the nearest pixel of the image (`edge`, the default), or mid-gray. */
  readonly fill?: 'edge' | 'gray';
}

/**
 * Extends an image, and makes the mask to inpaint the new area: white there, and fading linearly to black over `feather`
 * pixels of the image. `generate({ image, mask })` blends over this seam. An inpainting U-Net instead thresholds the mask
 * at mid-gray and repaints half of the seam; blend the original over its result with the mask to hide it.
 *
 * Throws an InvalidOptionError for sizes that are not whole numbers of at least 0, and (`image`) if the result would be
 * too large.
 */
export function outpaint(original: Pixels, options: OutpaintOptions): { image: Pixels; mask: Pixels } {
  const { left = 0, right = 0, top = 0, bottom = 0, feather = 16, fill = 'edge' } = options;
  for (const [option, value] of Object.entries({ left, right, top, bottom, feather })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new InvalidOptionError(option, `must be a whole number of pixels, at least 0, not ${show(value)}.`);
    }
  }
  if (fill !== 'edge' && fill !== 'gray') {
    throw new InvalidOptionError('fill', `must be edge or gray, not ${show(fill)}.`);
  }
  const width = left + original.width + right;
  const height = top + original.height + bottom;
  checkSize(width, height, 'image');

  const image = canvas(width, height, [128, 128, 128, 255]);
  if (fill === 'edge') extendEdges(image, original, left, top);
  paste(image, original, left, top);

  const mask = canvas(width, height, [255, 255, 255, 255]);
  const sides = { left, right, top, bottom };
  for (let y = 0; y < original.height; y++) {
    for (let x = 0; x < original.width; x++) {
      const level = Math.round(255 * (1 - distanceToSeam(original, x, y, sides) / feather));
      mask.data.fill(
        feather === 0 ? 0 : level,
        ((top + y) * width + left + x) * 4,
        ((top + y) * width + left + x) * 4 + 3,
      );
    }
  }
  return { image, mask };
}

function extendEdges(onto: Canvas, { width, height, data }: Pixels, left: number, top: number): void {
  for (let y = 0; y < onto.height; y++) {
    const row = Math.min(Math.max(y - top, 0), height - 1) * width;
    for (let x = 0; x < onto.width; x++) {
      const from = (row + Math.min(Math.max(x - left, 0), width - 1)) * 4;
      onto.data.set(data.subarray(from, from + 4), (y * onto.width + x) * 4);
    }
  }
}

/** Distance of a pixel's centre to the nearest side that grows. */
function distanceToSeam(
  { width, height }: Pixels,
  x: number,
  y: number,
  { left, right, top, bottom }: Record<string, number>,
) {
  const distances = [
    left === 0 ? Infinity : x,
    right === 0 ? Infinity : width - 1 - x,
    top === 0 ? Infinity : y,
    bottom === 0 ? Infinity : height - 1 - y,
  ];
  return Math.min(...distances) + 0.5;
}
