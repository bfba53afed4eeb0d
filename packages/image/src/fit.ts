import { InvalidOptionError, show } from '@sd/core';
import { type Canvas, canvas, paste } from './canvas.js';
import type { Pixels } from './pixels.js';
import { type Box, bicubic, lanczos, resample } from './resample.js';
import { checkSize } from './size.js';

/**
 * How an image is brought to another size.
 * - `cover`: scaled to cover the size, the overhang cropped evenly (diffusers' `resize_mode='crop'`).
 * - `contain`: scaled to fit inside the size, its edges extended over the rest (diffusers' `resize_mode='fill'`).
 * - `stretch`: width and height scaled independently (diffusers' default).
 * - `crop`: cropped to its centre, without scaling.
 */
export type Fit = 'cover' | 'contain' | 'stretch' | 'crop';

export interface FitImageOptions {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Required only if the image has another size. */
  readonly fit?: Fit;
}

const choices: readonly string[] = ['cover', 'contain', 'stretch', 'crop'] satisfies Fit[];

/**
 * Brings an image to a size; an image that has it is returned as it is. Scales with Pillow's Lanczos filter, bit for bit,
 * as diffusers' VaeImageProcessor does with images and masks. `option` is the image's name in error messages.
 *
 * Throws an InvalidOptionError: `fit` if the size differs and none is given, if it is unknown, or for `crop` of an image
 * that is too small; `width` if the size is impossible.
 */
export function fitImage(image: Pixels, { width, height, fit }: FitImageOptions, option = 'image'): Pixels {
  checkSize(width, height, 'width');
  if (fit !== undefined && !choices.includes(fit)) {
    throw new InvalidOptionError('fit', `must be one of ${choices.join(', ')}, not ${show(fit)}.`);
  }
  if (image.width === width && image.height === height) return image;
  const sizes = `the ${option} has ${image.width} x ${image.height} pixels, but ${width} x ${height} are needed`;
  switch (fit) {
    case 'cover':
      return cover(image, width, height);
    case 'contain':
      return contain(image, width, height);
    case 'stretch':
      return resample(image, width, height, lanczos);
    case 'crop':
      if (image.width >= width && image.height >= height) return cropCentre(image, width, height);
      throw new InvalidOptionError('fit', `${sizes}: it is too small to crop. Choose cover, contain or stretch.`);
    default:
      throw new InvalidOptionError(
        'fit',
        `${sizes}. Choose how to fit it: cover (scale and crop), contain (scale and extend the edges), stretch, or crop.`,
      );
  }
}

/** diffusers' `_resize_and_crop`. */
function cover(image: Pixels, width: number, height: number): Pixels {
  const isWider = width / height > image.width / image.height;
  const newWidth = isWider ? width : Math.floor((image.width * height) / image.height);
  const newHeight = isWider ? Math.floor((image.height * width) / image.width) : height;
  return cropCentre(resample(image, newWidth, newHeight, lanczos), width, height);
}

/** diffusers' `_resize_and_fill`. */
function contain(image: Pixels, width: number, height: number): Pixels {
  const isWider = width / height >= image.width / image.height;
  const newWidth = isWider ? Math.max(1, Math.floor((image.width * height) / image.height)) : width;
  const newHeight = isWider ? height : Math.max(1, Math.floor((image.height * width) / image.width));
  const scaled = resample(image, newWidth, newHeight, lanczos);
  const left = half(width) - half(newWidth);
  const top = half(height) - half(newHeight);
  const onto = canvas(width, height);
  extendEdge(onto, scaled, 'left', left);
  extendEdge(onto, scaled, 'right', width - left - newWidth);
  extendEdge(onto, scaled, 'top', top);
  extendEdge(onto, scaled, 'bottom', height - top - newHeight);
  paste(onto, scaled, left, top);
  return onto;
}

/** Fills a margin by resampling the image's outermost line: like diffusers, from a box without width or height. */
function extendEdge(
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
  const isVertical = side === 'left' || side === 'right';
  const [columns, rows] = isVertical ? [extent, onto.height] : [onto.width, extent];
  const margin = resample({ width, height, data }, columns, rows, bicubic, boxes[side]);
  paste(onto, margin, side === 'right' ? onto.width - extent : 0, side === 'bottom' ? onto.height - extent : 0);
}

function cropCentre(image: Pixels, width: number, height: number): Pixels {
  if (image.width === width && image.height === height) return image;
  const onto = canvas(width, height);
  paste(onto, image, half(width) - half(image.width), half(height) - half(image.height));
  return onto;
}

function half(size: number): number {
  return Math.floor(size / 2);
}
