import { importError } from '../load-codec.js';

const missing = (error: unknown) => importError(error, '@jsquash/avif', 'Reading and writing AVIF files');

// Each import stands in a `try`, where bundlers take it for one that may fail: the package is optional.

export async function avifDecoder() {
  try {
    return await import('@jsquash/avif/codec/dec/avif_dec.js');
  } catch (error) {
    throw missing(error);
  }
}

export async function avifEncoder() {
  try {
    return await import('@jsquash/avif/codec/enc/avif_enc.js');
  } catch (error) {
    throw missing(error);
  }
}

export async function avifDefaults() {
  try {
    return (await import('@jsquash/avif/meta.js')).defaultOptions;
  } catch (error) {
    throw missing(error);
  }
}
