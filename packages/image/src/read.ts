import { InvalidOptionError, SdError } from '@sd/core';
import { kindOfFile } from './file-kind.js';
import { decodeJpeg } from './jpeg/decode.js';
import { decodePng } from './png/decode.js';
import type { Pixels } from './png/encode.js';
import { checkSize } from './size.js';

/** A picture: the bytes of a PNG or JPEG file, or RGBA pixels, such as ImageData or an SdImage. */
export type PictureInput = Uint8Array | Pixels;

/**
 * Reads a picture into RGBA pixels, 8 bits each. What is RGBA already is passed on, not copied.
 *
 * PNG: every colour type and depth; of 16 bits the upper 8 are kept, as Pillow does with colours (its 16-bit gray turns
 * white), and colour profiles are not applied. Interlaced files of fewer than 8 bits a sample are refused.
 * JPEG: baseline and progressive, gray and in colour, not CMYK, by mozjpeg: the pixels of libjpeg-turbo, and so Pillow's,
 * but for files whose chroma is halved in height alone, where they differ by up to 2 levels.
 * Both are turned as their EXIF orientation says, as diffusers' `load_image` does.
 *
 * Rejects with an InvalidOptionError that names `option` and says what the bytes are: another kind of file, a broken
 * one, one of more than 2^26 pixels, or pixels whose number does not fit width and height; with a BackendError where the
 * JPEG decoder cannot be loaded.
 */
export async function readPicture(input: PictureInput, option = 'image'): Promise<Pixels> {
  if (!(input instanceof Uint8Array)) return checkPixels(input, option);
  const kind = kindOfFile(input);
  try {
    if (kind === 'a PNG file') return await decodePng(input, option);
    if (kind === 'a JPEG file') return await decodeJpeg(input, option);
  } catch (error) {
    if (SdError.isInstance(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidOptionError(option, `is ${kind}, but a broken one: ${reason.replace(/[.:]?$/, '.')}`);
  }
  throw new InvalidOptionError(option, `must be a PNG or JPEG file, or RGBA pixels; it is ${kind}.`);
}

function checkPixels(input: Pixels, option: string): Pixels {
  const { width, height, data }: Partial<Pixels> = input ?? {};
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (width === undefined || height === undefined || !bytes) {
    throw new InvalidOptionError(
      option,
      `must be a Uint8Array with the bytes of a PNG or JPEG file, or { width, height, data } with RGBA bytes, not ${describe(input)}.`,
    );
  }
  checkSize(width, height, option);
  if (data.length !== width * height * 4) {
    throw new InvalidOptionError(
      option,
      `${width} x ${height} RGBA pixels are ${width * height * 4} bytes, not ${data.length}.`,
    );
  }
  return { width, height, data };
}

function describe(value: unknown): string {
  if (typeof value === 'string') return 'a string';
  if (typeof value !== 'object' || value === null) return String(value);
  const name = value.constructor?.name ?? 'Object';
  return name === 'Object' ? `an object with ${Object.keys(value).join(', ') || 'nothing in it'}` : `of type ${name}`;
}
