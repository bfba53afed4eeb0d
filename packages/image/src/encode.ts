import { InvalidOptionError } from '@sd/core';
import { checkOptional, checkOptions, type OptionTable, oneOf } from '@sd/core/options';
import { formatNamed, imageFormats } from './formats/index.js';
import type { EncodeOptions } from './image-methods.js';
import { formatParameters, type ImageParameters } from './parameters.js';
import type { Pixels } from './pixels.js';

export interface EncodeImageOptions extends EncodeOptions {
  /** The settings that the image was made with, to be written into the file. */
  readonly parameters?: ImageParameters | undefined;
}

/** The options by which images are encoded, for other tables and a command line. */
export const encodeTable: OptionTable<EncodeOptions> = {
  format: { ...oneOf(...Object.keys(imageFormats)), default: "'png'", text: 'The format of the file.' },
  quality: {
    type: 'number',
    default: '90; AVIF: 70',
    text: 'From 1, the smallest file, to 100. PNG keeps every pixel and takes none.',
    check: (option, value) =>
      checkOptional(option, value, typeof value === 'number' && value >= 1 && value <= 100, 'a number from 1 to 100'),
  },
};

const table: OptionTable<EncodeImageOptions> = {
  ...encodeTable,
  parameters: { type: 'object', text: 'The settings that the image was made with.' },
};

/**
 * Encodes pixels as a file: PNG (the platform's own compression), JPEG (mozjpeg), WebP (libwebp) or AVIF (libavif, by the
 * package `@jsquash/avif`), the same in Node and browsers. Settings are written as A1111 does: in a PNG file as its text
 * `parameters`, in the others as the `UserComment` of EXIF. JPEG has no transparency: such pixels are composited onto white.
 *
 * Rejects with an InvalidOptionError: `pixels` if the data does not fit width and height, or a side is too long for the
 * format; `format`, `quality`; `settings` as `formatParameters` does, and if the format cannot hold such a long text. Rejects
 * with a MissingPackageError if the codec's package is not installed.
 */
export async function encodeImage(pixels: Pixels, options: EncodeImageOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions(options, table, { of: 'encodeImage()' });
  const { format: name = 'png', quality, parameters } = options;
  checkPixels(pixels);
  const entry = formatNamed(name);
  if (quality !== undefined && !entry.isLossy) {
    throw new InvalidOptionError(
      'quality',
      `has no effect on a ${name.toUpperCase()} file. Leave it out, or choose another format.`,
    );
  }
  const format = await entry.load();
  const file = await format.encode(pixels, quality);
  return parameters === undefined ? file : format.addSettings(file, formatParameters(parameters));
}

function checkPixels({ width, height, data }: Pixels): void {
  if (width > 0 && height > 0 && data.length === width * height * 4) return;
  throw new InvalidOptionError(
    'pixels',
    `must have 4 bytes for each of ${width} x ${height} pixels, not ${data.length} in all.`,
  );
}

/** `encodeImage` as PNG. */
export function encodePng(pixels: Pixels, parameters?: ImageParameters): Promise<Uint8Array<ArrayBuffer>> {
  return encodeImage(pixels, { parameters });
}
