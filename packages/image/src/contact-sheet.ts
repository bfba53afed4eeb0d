import { InvalidOptionError, show } from '@sd/core';
import { canvas, paste } from './canvas.js';
import { type SdImage, toSdImage } from './image.js';
import type { Pixels } from './pixels.js';
import { checkSize } from './size.js';

export interface ContactSheetOptions {
  /** Images per row: by default as many as make the sheet about square. */
  readonly columns?: number;
  /** Pixels between images: 4 by default. */
  readonly gap?: number;
  /** RGBA colour, 0 to 255, between images: transparent by default. */
  readonly background?: readonly [red: number, green: number, blue: number, alpha: number];
}

/**
 * Arranges images in a grid, row by row. Each cell is as large as the widest and the tallest image, and smaller images
 * are centred in theirs. Throws an InvalidOptionError: `images` if there are none or the sheet would be too large;
 * `columns` or `gap` if out of range.
 */
export function contactSheet(images: readonly Pixels[], options: ContactSheetOptions = {}): SdImage {
  if (images.length === 0)
    throw new InvalidOptionError('images', 'must not be empty: a contact sheet needs at least one.');
  const { columns = Math.ceil(Math.sqrt(images.length)), gap = 4, background = [0, 0, 0, 0] } = options;
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new InvalidOptionError('columns', `must be a whole number of at least 1, not ${show(columns)}.`);
  }
  if (!Number.isSafeInteger(gap) || gap < 0) {
    throw new InvalidOptionError('gap', `must be a whole number of pixels, at least 0, not ${show(gap)}.`);
  }
  const cellWidth = Math.max(...images.map(({ width }) => width));
  const cellHeight = Math.max(...images.map(({ height }) => height));
  const usedColumns = Math.min(columns, images.length);
  const rows = Math.ceil(images.length / columns);
  const [width, height] = [usedColumns * (cellWidth + gap) - gap, rows * (cellHeight + gap) - gap];
  checkSize(width, height, 'images');
  const sheet = canvas(width, height, background);
  images.forEach((image, i) => {
    const left = (i % columns) * (cellWidth + gap) + Math.floor((cellWidth - image.width) / 2);
    const top = Math.floor(i / columns) * (cellHeight + gap) + Math.floor((cellHeight - image.height) / 2);
    paste(sheet, image, left, top);
  });
  return toSdImage(sheet);
}
