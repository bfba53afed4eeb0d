import { InvalidOptionError } from '@sd/core';
import { formatParameters, type ImageParameters, parseParameters, type ReadParameters } from '../parameters.js';
import { addText, findText } from './text.js';

const keyword = 'parameters';

/** Pixels in RGBA, 8 bits each, row by row from the top left: a browser's ImageData is one. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/**
 * A PNG file of the pixels, with what they were made with as A1111's `parameters` text. It has no alpha channel where
 * every pixel is opaque. Throws an InvalidOptionError: `pixels` where their number is not width times height, `settings`
 * as `formatParameters` does.
 */
export async function encodePng(pixels: Pixels, parameters?: ImageParameters): Promise<Uint8Array> {
  const { width, height } = pixels;
  if (!(width > 0 && height > 0) || pixels.data.length !== width * height * 4) {
    throw new InvalidOptionError('pixels', `${width} x ${height} RGBA pixels cannot be ${pixels.data.length} bytes.`);
  }
  const { encode } = await import('fast-png');
  const opaque = isOpaque(pixels.data);
  const data = opaque ? withoutAlpha(pixels.data) : pixels.data;
  const png = encode({ width, height, data, channels: opaque ? 3 : 4, depth: 8 });
  return parameters === undefined ? png : addText(png, keyword, formatParameters(parameters));
}

/**
 * What a PNG file says it was made with, by this library, by A1111 or by others who write as A1111 does; undefined where
 * it says nothing. Throws an InvalidOptionError (`png`) for bytes that are no whole PNG file, or whose text is broken.
 */
export async function readParameters(png: Uint8Array): Promise<ReadParameters | undefined> {
  const text = await findText(png, keyword);
  return text === undefined ? undefined : parseParameters(text);
}

function isOpaque(rgba: Pixels['data']): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}

function withoutAlpha(rgba: Pixels['data']): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!;
    rgb[to + 1] = rgba[from + 1]!;
    rgb[to + 2] = rgba[from + 2]!;
  }
  return rgb;
}
