import { InvalidOptionError, lazyImport } from '@sd/core';
import { compositeOnWhite } from '../flatten.js';
import { loadCodec } from '../load-codec.js';
import type { Pixels } from '../pixels.js';

interface Encoder {
  encode(rgba: Uint8ClampedArray, width: number, height: number, options: object): Uint8Array;
}

const maxSide = 65535;

/** Encodes pixels as a progressive JPEG file, with mozjpeg; transparent ones on white. */
export async function encodeJpeg(pixels: Pixels, quality = 90): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, data } = compositeOnWhite(pixels);
  if (width > maxSide || height > maxSide) {
    throw new InvalidOptionError('pixels', `are too large for a JPEG file: the most is ${maxSide} x ${maxSide}.`);
  }
  const { codec } = await loadCodec<Encoder>(
    '@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm',
    () => import('@jsquash/jpeg/codec/enc/mozjpeg_enc.js'),
  );
  const { defaultOptions } = await lazyImport(() => import('@jsquash/jpeg/meta.js'));
  return codec.encode(data, width, height, { ...defaultOptions, quality }).slice();
}
