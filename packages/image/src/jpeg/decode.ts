import { InvalidOptionError, messageOf } from '@sd/core';
import { loadCodec } from '../load-codec.js';
import type { Pixels } from '../pixels.js';
import { checkJpeg } from './markers.js';

/** The part of the emscripten module used here; the package types it as `any`. */
interface Decoder {
  decode(file: Uint8Array, upright: boolean): Pixels | null;
}

/**
 * Decodes a JPEG file to RGBA with mozjpeg, rotated upright by its EXIF orientation. Throws an InvalidOptionError for an
 * unsupported size or format and for a file that mozjpeg rejects, an Error for a truncated file, and a BackendError if the
 * decoder cannot be loaded.
 */
export async function decodeJpeg(file: Uint8Array, option: string): Promise<Pixels> {
  checkJpeg(file, option);
  const { codec, lines } = await loadCodec<Decoder>(
    '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
    () => import('@jsquash/jpeg/codec/dec/mozjpeg_dec.js'),
  );
  let pixels: Pixels | null;
  try {
    pixels = codec.decode(file, true);
  } catch (error) {
    // libjpeg prints the reason and exits; emscripten then throws something that is not an Error.
    const reason = lines.at(-1)?.replace(/\.$/, '') ?? messageOf(error);
    throw new InvalidOptionError(option, `is a JPEG file that mozjpeg cannot read: ${reason}.`);
  }
  // Only a warning to libjpeg, which fills the rest with gray.
  const prematureEnd = lines.find((line) => /premature end/i.test(line));
  if (pixels === null || prematureEnd !== undefined) throw new Error(prematureEnd ?? 'its decoder failed');
  const { width, height, data } = pixels;
  return { width, height, data };
}
