import { InvalidOptionError, lazyImport } from '@sd/core';
import { applyOrientation, readOrientation } from '../exif/orientation.js';
import { readExif, writeExif } from '../exif/settings.js';
import type { FileFormat } from '../formats/format.js';
import { latin1Of } from '../latin1.js';
import { loadCodec } from '../load-codec.js';
import type { Pixels } from '../pixels.js';
import { checkSize } from '../size.js';
import { addExif, webpChunks, webpHeader } from './chunks.js';

interface Decoder {
  decode(file: Uint8Array): Pixels | null;
}

interface Encoder {
  encode(rgba: Pixels['data'], width: number, height: number, options: object): Uint8Array | null;
}

const maxSide = 16383;

/** WebP by libwebp: lossy, with settings as EXIF data. */
export const webp: FileFormat = {
  async decode(file, option) {
    const { width, height, isAnimated } = webpHeader(file);
    checkSize(width, height, option);
    if (isAnimated)
      throw new InvalidOptionError(option, 'is an animated WebP file, which is not supported. Save a frame of it.');
    const exif = findExif(file);
    const { codec } = await loadCodec<Decoder>(
      '@jsquash/webp/codec/dec/webp_dec.wasm',
      () => import('@jsquash/webp/codec/dec/webp_dec.js'),
    );
    const pixels = codec.decode(file);
    if (pixels === null) throw new Error('its pixels cannot be decoded');
    return exif === undefined ? pixels : applyOrientation(pixels, readOrientation(exif));
  },
  async encode({ width, height, data }, quality = 90) {
    if (width > maxSide || height > maxSide) {
      throw new InvalidOptionError('pixels', `are too large for a WebP file: the most is ${maxSide} x ${maxSide}.`);
    }
    const { codec } = await loadCodec<Encoder>(
      '@jsquash/webp/codec/enc/webp_enc_simd.wasm',
      () => import('@jsquash/webp/codec/enc/webp_enc_simd.js'),
    );
    const { defaultOptions } = await lazyImport(() => import('@jsquash/webp/meta.js'));
    const file = codec.encode(data, width, height, { ...defaultOptions, quality });
    if (file === null) throw new Error('libwebp could not encode the image.');
    return file.slice();
  },
  addSettings: (file, text) => addExif(file, writeExif(text)),
  async findSettings(file) {
    const exif = findExif(file);
    return exif === undefined ? {} : readExif(exif);
  },
};

/** The EXIF data of a WebP file. Some programs write it as in JPEG files, after a mark. */
function findExif(file: Uint8Array): Uint8Array | undefined {
  for (const { type, data } of webpChunks(file)) {
    if (type === 'EXIF') return latin1Of(data.subarray(0, 6)) === 'Exif\0\0' ? data.subarray(6) : data;
  }
  return undefined;
}
