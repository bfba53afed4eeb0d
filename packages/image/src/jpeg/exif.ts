import { InvalidOptionError } from '@sd/core';
import { bytesOfLatin1, latin1Of } from '../latin1.js';

const mark = 'Exif\0\0';
/** Of a segment, with the two bytes of its length. */
const maxLength = 65535;

/** Adds EXIF data to a JPEG file, as its first segment (JEITA CP-3451, 4.5.4). Throws an InvalidOptionError if it is too long. */
export function addExif(file: Uint8Array, exif: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = 2 + mark.length + exif.length;
  if (length > maxLength) {
    throw new InvalidOptionError(
      'settings',
      'are longer than a JPEG file holds, 32,000 characters. Choose another format.',
    );
  }
  const out = new Uint8Array(file.length + 2 + length);
  out.set([0xff, 0xd8, 0xff, 0xe1, length >> 8, length & 255]);
  out.set(bytesOfLatin1(mark), 6);
  out.set(exif, 6 + mark.length);
  out.set(file.subarray(2), 4 + length);
  return out;
}

/** The EXIF data of a JPEG file; undefined if there is none. Throws an Error if the file ends before its pixels. */
export function findExif(file: Uint8Array): Uint8Array | undefined {
  for (let at = 2; ; ) {
    while (file[at] === 0xff && file[at + 1] === 0xff) at += 1;
    if (at + 4 > file.length || file[at] !== 0xff) throw new Error('it is cut off');
    const marker = file[at + 1];
    // The pixels, or the end.
    if (marker === 0xda || marker === 0xd9) return undefined;
    const length = (file[at + 2] << 8) | file[at + 3];
    const end = at + 2 + length;
    if (length < 2 || end > file.length) throw new Error('it is cut off');
    const data = file.subarray(at + 4, end);
    if (marker === 0xe1 && latin1Of(data.subarray(0, mark.length)) === mark) return data.subarray(mark.length);
    at = end;
  }
}
