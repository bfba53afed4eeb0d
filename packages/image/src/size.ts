import { InvalidOptionError } from '@sd/core';

/** 8192 x 8192. */
const maxPixels = 2 ** 26;

/** Throws an InvalidOptionError for a size that no image can have, or one too large for memory. */
export function checkSize(width: number, height: number, option: string): void {
  if (!(Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0)) {
    throw new InvalidOptionError(option, `an image cannot be ${width} x ${height} pixels.`);
  }
  if (width * height > maxPixels) {
    throw new InvalidOptionError(
      option,
      `has ${width} x ${height} pixels, more than the limit of ${maxPixels}. Make it smaller first.`,
    );
  }
}
