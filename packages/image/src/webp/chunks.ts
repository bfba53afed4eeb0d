import { bytesOfLatin1, latin1Of } from '../latin1.js';

export interface WebpChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** What the header of a WebP file says. */
export interface WebpHeader {
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  readonly isAnimated: boolean;
}

const fileHeader = 12;
const flags = { animation: 0x02, exif: 0x08, alpha: 0x10 };

/** The chunks of a WebP file (RFC 9649), as views, one after the other. Throws an Error where the file is cut off. */
export function* webpChunks(file: Uint8Array): Generator<WebpChunk> {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < fileHeader || view.getUint32(4, true) + 8 > file.length) throw new Error('it is cut off');
  const end = view.getUint32(4, true) + 8;
  for (let at = fileHeader; at + 8 <= end; ) {
    const length = view.getUint32(at + 4, true);
    if (at + 8 + length > end) throw new Error('it is cut off');
    yield { type: latin1Of(file.subarray(at, at + 4)), data: file.subarray(at + 8, at + 8 + length) };
    at += 8 + length + (length % 2);
  }
}

/** Reads the size from the first chunk. Throws an Error if it is none that begins a file. */
export function webpHeader(file: Uint8Array): WebpHeader {
  const [first] = webpChunks(file);
  const read = first && headers[first.type];
  if (read === undefined) throw new Error('it does not begin with an image');
  const { data } = first;
  if (data.length < 10) throw new Error('its header is cut off');
  return read(data, new DataView(data.buffer, data.byteOffset, data.length));
}

const headers: Readonly<Record<string, (data: Uint8Array, view: DataView) => WebpHeader>> = {
  VP8X: (data) => ({
    width: 1 + (data[4] | (data[5] << 8) | (data[6] << 16)),
    height: 1 + (data[7] | (data[8] << 8) | (data[9] << 16)),
    hasAlpha: (data[0] & flags.alpha) !== 0,
    isAnimated: (data[0] & flags.animation) !== 0,
  }),
  'VP8 ': (_, view) => ({
    width: view.getUint16(6, true) & 0x3fff,
    height: view.getUint16(8, true) & 0x3fff,
    hasAlpha: false,
    isAnimated: false,
  }),
  VP8L(_, view) {
    const bits = view.getUint32(1, true);
    return {
      width: 1 + (bits & 0x3fff),
      height: 1 + ((bits >> 14) & 0x3fff),
      hasAlpha: (bits & (1 << 28)) !== 0,
      isAnimated: false,
    };
  },
};

/** Adds EXIF data at the end of a WebP file, in its extended form. */
export function addExif(file: Uint8Array, exif: Uint8Array): Uint8Array<ArrayBuffer> {
  const { width, height, hasAlpha } = webpHeader(file);
  const chunks = [...webpChunks(file)].filter(({ type }) => type !== 'VP8X');
  const header = new Uint8Array(10);
  const view = new DataView(header.buffer);
  view.setUint32(0, flags.exif | (hasAlpha ? flags.alpha : 0), true);
  view.setUint32(4, width - 1, true);
  // Three bytes each: the height's lie over the upper byte of the width, which is 0.
  header.set([(height - 1) & 255, ((height - 1) >> 8) & 255, (height - 1) >> 16], 7);
  return joinChunks([{ type: 'VP8X', data: header }, ...chunks, { type: 'EXIF', data: exif }]);
}

function joinChunks(chunks: readonly WebpChunk[]): Uint8Array<ArrayBuffer> {
  const padded = (length: number) => length + (length % 2);
  const out = new Uint8Array(chunks.reduce((sum, { data }) => sum + 8 + padded(data.length), fileHeader));
  const view = new DataView(out.buffer);
  out.set(bytesOfLatin1('RIFF\0\0\0\0WEBP'));
  view.setUint32(4, out.length - 8, true);
  let at = fileHeader;
  for (const { type, data } of chunks) {
    out.set(bytesOfLatin1(type), at);
    view.setUint32(at + 4, data.length, true);
    out.set(data, at + 8);
    at += 8 + padded(data.length);
  }
  return out;
}
