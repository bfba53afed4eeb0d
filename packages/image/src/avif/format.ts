import { InvalidOptionError } from '@sd/core';
import { applyOrientation } from '../exif/orientation.js';
import { readExif, writeExif } from '../exif/settings.js';
import type { FileFormat } from '../formats/format.js';
import { loadCodec } from '../load-codec.js';
import type { Pixels } from '../pixels.js';
import { checkSize } from '../size.js';
import { addExif } from './add-exif.js';
import { findExif } from './items.js';
import { avifDecoder, avifDefaults, avifEncoder } from './package.js';
import { avifHeader } from './properties.js';

interface Decoder {
  decode(file: Uint8Array, depth: number): Pixels | null;
}

interface Encoder {
  encode(rgba: Uint8Array, width: number, height: number, options: object): Uint8Array | null;
}

const maxSide = 16384;
/** A third of the time of libavif's default, 6, for files that are a sixth larger. */
const speed = 8;

/** AVIF by libavif, with settings as an item with EXIF data. */
export const avif: FileFormat = {
  async decode(file, option) {
    const { width, height, orientation } = avifHeader(file);
    checkSize(width, height, option);
    const { codec } = await loadCodec<Decoder>('@jsquash/avif/codec/dec/avif_dec.wasm', avifDecoder);
    const pixels = codec.decode(file, 8);
    if (pixels === null) throw new Error('its pixels cannot be decoded');
    return applyOrientation(pixels, orientation);
  },
  async encode({ width, height, data }, quality = 70) {
    if (width > maxSide || height > maxSide) {
      throw new InvalidOptionError('pixels', `are too large for an AVIF file: the most is ${maxSide} x ${maxSide}.`);
    }
    const { codec } = await loadCodec<Encoder>('@jsquash/avif/codec/enc/avif_enc.wasm', avifEncoder);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    const file = codec.encode(bytes, width, height, { ...(await avifDefaults()), quality, speed });
    if (file === null) throw new Error('libavif could not encode the image.');
    return file.slice();
  },
  addSettings: (file, text) => addExif(file, writeExif(text)),
  async findSettings(file) {
    const exif = findExif(file);
    return exif === undefined ? {} : readExif(exif);
  },
};
