import { InvalidOptionError } from '@sd/core';
import { type Canvas, canvas, paste } from './canvas.js';
import type { Pixels } from './png/encode.js';
import { checkSize } from './size.js';

export interface OutpaintOptions {
  /** How many pixels to add on each side: 0 by default. */
  readonly left?: number;
  readonly right?: number;
  readonly top?: number;
  readonly bottom?: number;
  /** How many pixels the seam reaches into the picture: 16 by default. */
  readonly feather?: number;
  /** What the new parts hold: the nearest pixel of the picture (`edge`, the default), or middle gray. */
  readonly fill?: 'edge' | 'gray';
}

/**
 * A picture with room on its sides, and the mask to inpaint it: white in the new parts, and from there to black over
 * `feather` pixels of the picture, in equal steps. `generate({ image, mask })` fades over the seam, but a U-Net for
 * inpainting cuts the mask at its middle, and repaints half of the seam; laying the old picture over the result by the
 * mask's gray hides the rest.
 *
 * Throws an InvalidOptionError for sizes that are no whole numbers from 0 up, and for a picture that would be too large.
 */
export function outpaint(picture: Pixels, options: OutpaintOptions): { image: Pixels; mask: Pixels } {
  const { left = 0, right = 0, top = 0, bottom = 0, feather = 16, fill = 'edge' } = options;
  for (const [option, value] of Object.entries({ left, right, top, bottom, feather })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new InvalidOptionError(option, `must be a whole number of pixels from 0 up, not ${value}.`);
    }
  }
  if (fill !== 'edge' && fill !== 'gray') {
    throw new InvalidOptionError('fill', `must be edge or gray, not ${JSON.stringify(fill)}.`);
  }
  const width = left + picture.width + right;
  const height = top + picture.height + bottom;
  checkSize(width, height, 'picture');

  const image = canvas(width, height, [128, 128, 128, 255]);
  if (fill === 'edge') drawEdges(image, picture, left, top);
  paste(image, picture, left, top);

  const mask = canvas(width, height, [255, 255, 255, 255]);
  const sides = { left, right, top, bottom };
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const level = Math.round(255 * (1 - depth(picture, x, y, sides) / feather));
      mask.data.fill(
        feather === 0 ? 0 : level,
        ((top + y) * width + left + x) * 4,
        ((top + y) * width + left + x) * 4 + 3,
      );
    }
  }
  return { image, mask };
}

function drawEdges(onto: Canvas, { width, height, data }: Pixels, left: number, top: number): void {
  for (let y = 0; y < onto.height; y++) {
    const row = Math.min(Math.max(y - top, 0), height - 1) * width;
    for (let x = 0; x < onto.width; x++) {
      const from = (row + Math.min(Math.max(x - left, 0), width - 1)) * 4;
      onto.data.set(data.subarray(from, from + 4), (y * onto.width + x) * 4);
    }
  }
}

/** How far a pixel's middle is from the nearest side that something is added to. */
function depth({ width, height }: Pixels, x: number, y: number, { left, right, top, bottom }: Record<string, number>) {
  const distances = [
    left === 0 ? Infinity : x,
    right === 0 ? Infinity : width - 1 - x,
    top === 0 ? Infinity : y,
    bottom === 0 ? Infinity : height - 1 - y,
  ];
  return Math.min(...distances) + 0.5;
}
