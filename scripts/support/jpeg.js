import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import encode, { init } from '@jsquash/jpeg/encode.js';

const codec = fileURLToPath(import.meta.resolve('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'));
await init(await WebAssembly.compile(await readFile(codec)));

/**
 * Encodes an image as JPEG with mozjpeg.
 * @param {{ width: number, height: number, data: ArrayLike<number> }} image RGBA
 * @param {number} quality 0 to 100
 */
export async function toJpeg(image, quality = 92) {
  return new Uint8Array(await encode(/** @type {any} */ (image), { quality }));
}
