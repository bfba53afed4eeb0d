import type { Pixels } from '../../image/index.js';
import { orientationOf, upright } from '../exif.js';
import { zigzag } from './blocks.js';
import { type ColourSpace, toRgba } from './colour.js';
import { type Frame, readFrame } from './frame.js';
import { type Huffman, huffman } from './huffman.js';
import { inverseDct } from './inverse-dct.js';
import { readScan } from './scan.js';
import { upsample } from './upsample.js';

/** A file of a few bytes a scan could keep a decoder busy for hours; real ones have some ten. */
const mostScans = 100;

/**
 * A JPEG file as RGBA, upright by its EXIF orientation: baseline and progressive, 8 bits, with Huffman codes. The pixels
 * are libjpeg-turbo's, and so Pillow's and diffusers', to the last bit: other decoders differ by several levels where
 * chroma is subsampled, which image to image would carry on.
 *
 * Throws an InvalidOptionError for a kind that is not read, or an Error for what is broken or cut off. ITU-T T.81.
 */
export function decodeJpeg(bytes: Uint8Array, option: string): Pixels {
  const quantization: Uint16Array[] = [];
  const dc: Huffman[] = [];
  const ac: Huffman[] = [];
  let frame: Frame | undefined;
  let restartInterval = 0;
  let orientation = 1;
  let jfif = false;
  let adobe: number | undefined;
  let scans = 0;

  for (let at = 2; ; ) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (marker === undefined) throw new Error('it is cut off');
    if (bytes[at] !== 0xff) throw new Error(`there is no marker at byte ${at}`);
    if (marker === 0xd9) break;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const end = at + 2 + length;
    if (!(length >= 2) || end > bytes.length) throw new Error('it is cut off');
    const data = bytes.subarray(at + 4, end);
    at = end;

    if (marker === 0xdb) readQuantization(data, quantization);
    else if (marker === 0xc4) readHuffman(data, dc, ac);
    else if (marker === 0xdd) restartInterval = (data[0]! << 8) | data[1]!;
    else if (marker === 0xe0) jfif ||= startsWith(data, 'JFIF\0');
    else if (marker === 0xe1 && startsWith(data, 'Exif\0\0')) orientation = orientationOf(data.subarray(6));
    else if (marker === 0xee && startsWith(data, 'Adobe')) adobe = data[11];
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      if (frame !== undefined) throw new Error('it has two frames');
      frame = readFrame(marker, data, option);
    } else if (marker === 0xda) {
      if (frame === undefined) throw new Error('a scan comes before the frame');
      scans += 1;
      if (scans > mostScans) throw new Error(`it has more than ${mostScans} scans`);
      at = readScan(bytes, at, data, frame, { dc, ac }, restartInterval);
    }
  }
  if (frame === undefined || scans === 0) throw new Error('it has no picture');
  return upright(toPixels(frame, quantization, colourSpace(frame, jfif, adobe)), orientation);
}

function toPixels(frame: Frame, quantization: readonly Uint16Array[], space: ColourSpace): Pixels {
  const planes = frame.components.map(({ coefficients, columns, rows, width, height, across, down, ...component }) => {
    const table = quantization[component.quantization];
    if (table === undefined) throw new Error('a quantization table is missing');
    const data = inverseDct(coefficients, table, columns, rows);
    return upsample({ data, stride: columns * 8, width, height }, frame.maxAcross / across, frame.maxDown / down);
  });
  return toRgba(planes, space, frame.width, frame.height);
}

/** As libjpeg guesses (`jdapimin.c`). */
function colourSpace({ components }: Frame, jfif: boolean, adobe: number | undefined): ColourSpace {
  if (components.length === 1) return 'gray';
  if (components.length === 4) return adobe === undefined || adobe === 0 ? 'CMYK' : 'YCCK';
  if (jfif) return 'YCbCr';
  if (adobe !== undefined) return adobe === 0 ? 'RGB' : 'YCbCr';
  return String(components.map(({ id }) => id)) === '82,71,66' ? 'RGB' : 'YCbCr';
}

/** ITU-T T.81, B.2.4.1. */
function readQuantization(data: Uint8Array, tables: Uint16Array[]): void {
  for (let at = 0; at < data.length; ) {
    const [wide, place] = [data[at]! >> 4, data[at]! & 15];
    const size = wide > 0 ? 2 : 1;
    if (at + 1 + 64 * size > data.length || place > 3) throw new Error('a quantization table is broken');
    const table = new Uint16Array(64);
    for (let i = 0; i < 64; i++) {
      const from = at + 1 + i * size;
      table[zigzag[i]!] = wide > 0 ? (data[from]! << 8) | data[from + 1]! : data[from]!;
    }
    tables[place] = table;
    at += 1 + 64 * size;
  }
}

/** ITU-T T.81, B.2.4.2. */
function readHuffman(data: Uint8Array, dc: Huffman[], ac: Huffman[]): void {
  for (let at = 0; at < data.length; ) {
    const [kind, place] = [data[at]! >> 4, data[at]! & 15];
    const counts = data.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const end = at + 17 + total;
    if (end > data.length || place > 3 || kind > 1 || total > 256) throw new Error('a Huffman table is broken');
    (kind === 0 ? dc : ac)[place] = huffman(counts, data.subarray(at + 17, end));
    at = end;
  }
}

function startsWith(data: Uint8Array, text: string): boolean {
  return [...text].every((character, i) => data[i] === character.charCodeAt(0));
}
