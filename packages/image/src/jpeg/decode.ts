import { BackendError, InvalidOptionError } from '@sd/core';
import type { Pixels } from '../png/encode.js';
import { checkJpeg } from './markers.js';

/** What of emscripten's module is used here: the package's own types leave it `any`. */
interface Codec {
  decode(file: Uint8Array, upright: boolean): Pixels | null;
}

/**
 * A JPEG file as RGBA, upright by its EXIF orientation, by mozjpeg. Throws an InvalidOptionError for a size or kind that
 * is not read or that is broken, an Error for one that is cut off, and a BackendError where the decoder cannot be loaded.
 */
export async function decodeJpeg(file: Uint8Array, option: string): Promise<Pixels> {
  checkJpeg(file, option);
  const lines: string[] = [];
  const codec = await loadCodec((line) => lines.push(line));
  let pixels: Pixels | null;
  try {
    pixels = codec.decode(file, true);
  } catch (error) {
    // libjpeg says what is wrong, broken or not supported, and exits; what emscripten throws then is no Error.
    const reason = lines.at(-1)?.replace(/\.$/, '') ?? String(error);
    throw new InvalidOptionError(option, `is a JPEG file that mozjpeg does not read: ${reason}.`);
  }
  // A warning to libjpeg, which fills up with gray.
  const missing = lines.find((line) => /premature end/i.test(line));
  if (pixels === null || missing !== undefined) throw new Error(missing ?? 'its decoder failed');
  const { width, height, data } = pixels;
  return { width, height, data };
}

/** A new one for each file: after a failure it is in no known state, and it never gives back memory. */
async function loadCodec(print: (line: string) => void): Promise<Codec> {
  try {
    const { default: create } = await import('@jsquash/jpeg/codec/dec/mozjpeg_dec.js');
    const { jpegDecoder } = await import('#jpeg-wasm');
    return await create({ noInitialRun: true, print, printErr: print, ...(await jpegDecoder()) });
  } catch (error) {
    throw new BackendError('The JPEG decoder, @jsquash/jpeg, could not be loaded.', { cause: error });
  }
}
