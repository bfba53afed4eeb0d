import { InvalidOptionError } from '@sd/core';

/** As many pixels as 8192 x 8192. */
const mostPixels = 2 ** 26;

/** Throws an InvalidOptionError for a size that no picture can have, or that would fill the memory. */
export function checkSize(width: number, height: number, option: string): void {
  if (!(Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0)) {
    throw new InvalidOptionError(option, `a picture cannot be ${width} x ${height} pixels.`);
  }
  if (width * height > mostPixels) {
    throw new InvalidOptionError(
      option,
      `is ${width} x ${height} pixels; more than ${mostPixels} pixels are not read. Make it smaller first.`,
    );
  }
}
