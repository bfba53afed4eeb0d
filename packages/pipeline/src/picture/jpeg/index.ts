import { InvalidOptionError } from '@sd/core';
import type { Pixels } from '../../image/index.js';

export function decodeJpeg(_file: Uint8Array, option: string): Pixels {
  throw new InvalidOptionError(option, 'is a JPEG file, which this version does not read yet.');
}
