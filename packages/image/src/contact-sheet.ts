import { InvalidOptionError } from '@sd/core';
import { canvas, paste } from './canvas.js';
import type { SdImage } from './image.js';
import type { Pixels } from './png/encode.js';
import { sdImage } from './sd-image.js';
import { checkSize } from './size.js';

export interface ContactSheetOptions {
  /** How many pictures to a row: by default as many as make the sheet about square. */
  readonly columns?: number;
  /** Pixels between pictures: 4 by default. */
  readonly gap?: number;
  /** RGBA, 0 to 255, between pictures: clear by default. */
  readonly background?: readonly [red: number, green: number, blue: number, alpha: number];
}

/**
 * Pictures side by side, row by row, in one. Each cell is as large as the largest picture; smaller ones stand in the
 * middle of theirs. Throws an InvalidOptionError: `images` where there are none, `columns` and `gap`.
 */
export function contactSheet(images: readonly Pixels[], options: ContactSheetOptions = {}): SdImage {
  if (images.length === 0) throw new InvalidOptionError('images', 'there are none for a contact sheet.');
  const { columns = Math.ceil(Math.sqrt(images.length)), gap = 4, background = [0, 0, 0, 0] } = options;
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new InvalidOptionError('columns', `must be a whole number from 1 up, not ${columns}.`);
  }
  if (!Number.isSafeInteger(gap) || gap < 0) {
    throw new InvalidOptionError('gap', `must be a whole number of pixels from 0 up, not ${gap}.`);
  }
  const across = Math.max(...images.map(({ width }) => width));
  const down = Math.max(...images.map(({ height }) => height));
  const used = Math.min(columns, images.length);
  const rows = Math.ceil(images.length / columns);
  const [width, height] = [used * (across + gap) - gap, rows * (down + gap) - gap];
  checkSize(width, height, 'images');
  const sheet = canvas(width, height, background);
  images.forEach((image, i) => {
    const left = (i % columns) * (across + gap) + Math.floor((across - image.width) / 2);
    const top = Math.floor(i / columns) * (down + gap) + Math.floor((down - image.height) / 2);
    paste(sheet, image, left, top);
  });
  return sdImage(sheet);
}
