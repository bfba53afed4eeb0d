import { InvalidOptionError, show } from '@sd/core';
import { latin1Of } from '../latin1.js';
import { crc32 } from './crc.js';

/** The first bytes of every PNG file. */
export const signature = [137, 80, 78, 71, 13, 10, 26, 10];

export interface Chunk {
  readonly type: string;
  readonly data: Uint8Array<ArrayBuffer>;
  /** The checksum of type and data, as stored in the file. */
  readonly crc: number;
  /** Including length and checksum. */
  readonly whole: Uint8Array<ArrayBuffer>;
}

/**
 * The chunks of a PNG file, as views, one after the other up to IEND: a file may have millions. The first is IHDR, with 13
 * bytes of data. Checksums are not verified. Throws an InvalidOptionError (`option`) for bytes that are not a complete PNG
 * file.
 */
export function* chunksOf(png: Uint8Array, option = 'file'): Generator<Chunk> {
  if (!(png instanceof Uint8Array) || signature.some((byte, i) => png[i] !== byte)) {
    throw brokenPng('it has no PNG signature.', option);
  }
  const bytes = new Uint8Array(png.buffer as ArrayBuffer, png.byteOffset, png.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = signature.length; ; ) {
    if (at + 12 > bytes.length) throw brokenPng(`it ends after ${bytes.length} bytes, without IEND.`, option);
    const end = at + 8 + view.getUint32(at);
    const type = latin1Of(bytes.subarray(at + 4, at + 8));
    if (end + 4 > bytes.length) throw brokenPng(`its chunk ${show(type)} extends past the end.`, option);
    const data = bytes.subarray(at + 8, end);
    if (at === signature.length && (type !== 'IHDR' || data.length !== 13))
      throw brokenPng('it has no header (IHDR).', option);
    yield { type, data, crc: view.getUint32(end), whole: bytes.subarray(at, end + 4) };
    if (type === 'IEND') return;
    at = end + 4;
  }
}

/** Whether the chunk's checksum is that of its type and data. */
export function isIntact({ whole, crc }: Chunk): boolean {
  return crc32(whole.subarray(4, -4)) === crc;
}

export function brokenPng(problem: string, option = 'file'): InvalidOptionError {
  return new InvalidOptionError(option, `this is not a PNG file that can be read: ${problem}`);
}
