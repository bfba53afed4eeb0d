import { crc32 } from 'node:zlib';

const headerEnd = 33;

/** Inserts a chunk after the header of a PNG file. */
export function addChunk(png: Uint8Array, type: string, data: readonly number[]): Uint8Array {
  const checked = Uint8Array.from([...new TextEncoder().encode(type), ...data]);
  const words = new DataView(new ArrayBuffer(8));
  words.setUint32(0, data.length);
  words.setUint32(4, crc32(checked));
  const [length, crc] = [new Uint8Array(words.buffer, 0, 4), new Uint8Array(words.buffer, 4, 4)];
  return Uint8Array.from([...png.subarray(0, headerEnd), ...length, ...checked, ...crc, ...png.subarray(headerEnd)]);
}
