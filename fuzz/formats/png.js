import { deflateSync } from 'node:zlib';
import { concat, latin1, uint32BigEndian, utf8 } from '../bytes.js';

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function checksum(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** A chunk with the right checksum, or with `wrong` bits of it flipped. */
export function chunk(type, data, wrong = 0) {
  const body = concat([latin1(type), data]);
  return concat([uint32BigEndian(data.length), body, uint32BigEndian(checksum(body) ^ wrong)]);
}

export const signature = latin1('\x89PNG\r\n\x1a\n');
export const deflated = (bytes) => new Uint8Array(deflateSync(bytes, { level: 1 }));
export const header = ({ width, height, depth = 8, colour = 2, compression = 0, filter = 0, interlace = 0 }) =>
  chunk(
    'IHDR',
    concat([
      uint32BigEndian(width),
      uint32BigEndian(height),
      Uint8Array.of(depth, colour, compression, filter, interlace),
    ]),
  );
export const end = () => chunk('IEND', new Uint8Array());
export const text = (keyword, value) => chunk('tEXt', utf8(`${keyword}\0${value}`));
export const compressedText = (keyword, bytes) => chunk('zTXt', concat([utf8(`${keyword}\0\0`), deflated(bytes)]));
export const internationalText = (keyword, bytes, packed) =>
  chunk(
    'iTXt',
    concat([utf8(`${keyword}\0`), Uint8Array.of(packed ? 1 : 0, 0, 0, 0), packed ? deflated(bytes) : bytes]),
  );

/** The file with right checksums for whatever chunks can be found in it. */
export function withChecksums(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, checksum(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}
