import { barrier, InvalidOptionError } from '@sd/core';
import { formatParameters, type ImageParameters, parseParameters, type ReadParameters } from '../parameters.js';
import type { Pixels } from '../pixels.js';
import { addText, findText } from './text.js';
import { writePng } from './write.js';

const keyword = 'parameters';

/**
 * Encodes pixels as a PNG file, with the settings that they were made with as A1111's `parameters` text. Opaque images
 * have no alpha channel. Compresses on another thread; equal pixels give equal files on one platform. Throws an InvalidOptionError: `pixels` if the data does not fit width and height, `settings` as
 * `formatParameters` does.
 */
export async function encodePng(pixels: Pixels, parameters?: ImageParameters): Promise<Uint8Array> {
  const { width, height } = pixels;
  if (!(width > 0 && height > 0) || pixels.data.length !== width * height * 4) {
    throw new InvalidOptionError(
      'pixels',
      `must have 4 bytes for each of ${width} x ${height} pixels, not ${pixels.data.length} in all.`,
    );
  }
  const png = await writePng(pixels, isOpaque(pixels.data) ? 3 : 4);
  return parameters === undefined ? png : addText(png, keyword, formatParameters(parameters));
}

/**
 * Reads the settings that a PNG file was made with, if this library, A1111 or another tool wrote them in A1111's format;
 * undefined if there are none. Throws an InvalidOptionError (`png`) for an incomplete PNG file or a broken text chunk.
 */
export function readParameters(png: Uint8Array): Promise<ReadParameters | undefined> {
  return barrier('readParameters()', () => readText(png));
}

async function readText(png: Uint8Array): Promise<ReadParameters | undefined> {
  const text = await findText(png, keyword);
  return text === undefined ? undefined : parseParameters(text);
}

function isOpaque(rgba: Pixels['data']): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}
