import { InvalidOptionError } from '@sd/core';
import { type Canvas, canvas, paste } from './canvas.js';
import type { Pixels } from './png/encode.js';
import { type Box, bicubic, lanczos, resample } from './resample.js';
import { checkSize } from './size.js';

/**
 * How a picture comes to a size that is not its own.
 * - `cover`: scaled until it covers the size, the middle kept (diffusers' `resize_mode='crop'`).
 * - `contain`: scaled until the size holds it, its edges drawn out over the rest (diffusers' `resize_mode='fill'`).
 * - `stretch`: scaled in each direction as needed (diffusers' default).
 * - `crop`: not scaled, the middle cut out.
 */
export type Fit = 'cover' | 'contain' | 'stretch' | 'crop';

export interface FitPictureOptions {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Needed only where the picture has another size. */
  readonly fit?: Fit;
}

const choices: readonly string[] = ['cover', 'contain', 'stretch', 'crop'] satisfies Fit[];

/**
 * A picture in the size asked for; the picture itself where it has that size. Scaling is Pillow's Lanczos, bit by bit,
 * as diffusers' VaeImageProcessor scales pictures and masks.
 *
 * Throws an InvalidOptionError: `fit` where the size differs and no fit is given, where it is none of the four, and for
 * `crop` of a picture that is too small; `width` for a size that cannot be. `option` names the picture in messages.
 */
export function fitPicture(picture: Pixels, { width, height, fit }: FitPictureOptions, option = 'image'): Pixels {
  checkSize(width, height, 'width');
  if (fit !== undefined && !choices.includes(fit)) {
    throw new InvalidOptionError('fit', `must be one of ${choices.join(', ')}, not ${JSON.stringify(fit)}.`);
  }
  if (picture.width === width && picture.height === height) return picture;
  const sizes = `the ${option} is ${picture.width} x ${picture.height} pixels, and ${width} x ${height} are asked for`;
  switch (fit) {
    case 'cover':
      return cover(picture, width, height);
    case 'contain':
      return contain(picture, width, height);
    case 'stretch':
      return resample(picture, width, height, lanczos);
    case 'crop':
      if (picture.width >= width && picture.height >= height) return middle(picture, width, height);
      throw new InvalidOptionError('fit', `${sizes}: it is too small to be cropped. Choose cover, contain or stretch.`);
    default:
      throw new InvalidOptionError(
        'fit',
        `${sizes}. Choose what to do: cover (scale, crop the middle), contain (scale, draw the edges out), stretch, or crop.`,
      );
  }
}

/** diffusers' `_resize_and_crop`. */
function cover(picture: Pixels, width: number, height: number): Pixels {
  const wide = width / height > picture.width / picture.height;
  const newWidth = wide ? width : Math.floor((picture.width * height) / picture.height);
  const newHeight = wide ? Math.floor((picture.height * width) / picture.width) : height;
  return middle(resample(picture, newWidth, newHeight, lanczos), width, height);
}

/** diffusers' `_resize_and_fill`. */
function contain(picture: Pixels, width: number, height: number): Pixels {
  const wide = width / height >= picture.width / picture.height;
  const newWidth = wide ? Math.max(1, Math.floor((picture.width * height) / picture.height)) : width;
  const newHeight = wide ? height : Math.max(1, Math.floor((picture.height * width) / picture.width));
  const scaled = resample(picture, newWidth, newHeight, lanczos);
  const left = half(width) - half(newWidth);
  const top = half(height) - half(newHeight);
  const onto = canvas(width, height);
  drawOut(onto, scaled, 'left', left);
  drawOut(onto, scaled, 'right', width - left - newWidth);
  drawOut(onto, scaled, 'top', top);
  drawOut(onto, scaled, 'bottom', height - top - newHeight);
  paste(onto, scaled, left, top);
  return onto;
}

/** One line at the very edge, by a box of no extent as diffusers has it, over the whole margin. */
function drawOut(
  onto: Canvas,
  { width, height, data }: Pixels,
  side: 'left' | 'right' | 'top' | 'bottom',
  extent: number,
) {
  if (extent <= 0) return;
  const boxes: Record<typeof side, Box> = {
    left: [0, 0, 0, height],
    right: [width, 0, width, height],
    top: [0, 0, width, 0],
    bottom: [0, height, width, height],
  };
  const sideways = side === 'left' || side === 'right';
  const [columns, rows] = sideways ? [extent, onto.height] : [onto.width, extent];
  const margin = resample({ width, height, data }, columns, rows, bicubic, boxes[side]);
  paste(onto, margin, side === 'right' ? onto.width - extent : 0, side === 'bottom' ? onto.height - extent : 0);
}

function middle(picture: Pixels, width: number, height: number): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  const onto = canvas(width, height);
  paste(onto, picture, half(width) - half(picture.width), half(height) - half(picture.height));
  return onto;
}

function half(size: number): number {
  return Math.floor(size / 2);
}
