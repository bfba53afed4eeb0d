import { barrier, InvalidOptionError, messageOf, SdError } from '@sd/core';
import { kindOfFile } from './file-kind.js';
import { formatOfKind } from './formats/index.js';
import type { Pixels } from './pixels.js';
import { checkSize } from './size.js';

/** An image: the bytes of a PNG, JPEG, WebP or AVIF file, or RGBA pixels, such as ImageData or an SdImage. */
export type ImageInput = Uint8Array | Pixels;

/**
 * Decodes an image into RGBA pixels of 8 bits per channel. Pixels that already are RGBA are not copied.
 *
 * PNG: all colour types and depths; 16-bit channels keep their upper 8 bits, like Pillow's in colour (its 16-bit gray
 * turns white). Colour profiles are not applied. Interlaced files of less than 8 bits per sample are rejected.
 * JPEG: baseline and progressive, in gray or colour but not CMYK, by mozjpeg. The pixels equal libjpeg-turbo's, and so
 * Pillow's, except with chroma halved in height only (4:4:0), where they differ by up to 2 levels.
 * WebP: by libwebp, without animations. AVIF: by libavif, to 8 bits per channel; the package `@jsquash/avif` must be installed.
 * All are rotated by their orientation, as diffusers' `load_image` does.
 *
 * Rejects with an InvalidOptionError that names `option` and identifies the bytes: another kind of file, a broken file,
 * more than 2^26 pixels, or pixel data that does not fit its width and height. Rejects with a
 * MissingPackageError or BackendError if the decoder cannot be loaded.
 */
export function readImage(input: ImageInput, option?: string): Promise<Pixels> {
  return barrier('readImage()', () => decode(input, option));
}

async function decode(input: ImageInput, option = 'image'): Promise<Pixels> {
  if (!(input instanceof Uint8Array)) return checkPixels(input, option);
  const kind = kindOfFile(input);
  try {
    const format = await formatOfKind(kind)?.load();
    if (format !== undefined) return await format.decode(input, option);
  } catch (error) {
    if (SdError.isInstance(error)) throw error;
    const reason = messageOf(error);
    throw new InvalidOptionError(option, `is ${kind}, but broken: ${reason.replace(/[.:]?$/, '.')}`);
  }
  throw new InvalidOptionError(option, `must be a PNG, JPEG, WebP or AVIF file, or RGBA pixels, but is ${kind}.`);
}

function checkPixels(input: Pixels, option: string): Pixels {
  const { width, height, data }: Partial<Pixels> = input ?? {};
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (width === undefined || height === undefined || !isBytes) {
    throw new InvalidOptionError(
      option,
      `must be a Uint8Array with the bytes of a PNG, JPEG, WebP or AVIF file, or { width, height, data } with RGBA bytes, not ${describe(input)}.`,
    );
  }
  checkSize(width, height, option);
  if (data.length !== width * height * 4) {
    throw new InvalidOptionError(
      option,
      `must have ${width * height * 4} bytes for ${width} x ${height} RGBA pixels, not ${data.length}.`,
    );
  }
  return { width, height, data };
}

function describe(value: unknown): string {
  if (typeof value === 'string') return 'a string';
  if (typeof value !== 'object' || value === null) return String(value);
  const name = value.constructor?.name ?? 'Object';
  return name === 'Object' ? `an object with ${Object.keys(value).join(', ') || 'no properties'}` : `of type ${name}`;
}
