import { InvalidOptionError, lazyImport } from '@sd/core';
import { applyOrientation, readOrientation } from '../exif.js';
import type { Pixels } from '../pixels.js';
import { checkSize } from '../size.js';
import { readChunks } from './chunks.js';
import { expandPng } from './samples.js';

const pixelChunks = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits per sample. */
  readonly depth: number;
  /** Samples per pixel. */
  readonly channels: number;
  /** True if samples are indices into a palette. */
  readonly isIndexed: boolean;
  readonly isInterlaced: boolean;
}

/**
 * Decodes a PNG file to RGBA, rotated upright by its EXIF orientation. Decompresses only the chunks that the pixels need,
 * and only after checking that they inflate to the size in the header. Throws an InvalidOptionError for an unsupported
 * size or format, and an Error for a broken file.
 */
export async function decodePng(file: Uint8Array, option: string): Promise<Pixels> {
  const all = readChunks(file, option);
  const header = readHeader(all[0].data);
  checkSize(header.width, header.height, option);
  if (header.isInterlaced && header.depth < 8) {
    throw new InvalidOptionError(
      option,
      `is an interlaced PNG file of ${header.depth} bits per sample, which is not supported. Save it without interlacing.`,
    );
  }
  const chunks = all.filter(({ type }) => pixelChunks.includes(type));
  if (header.isIndexed && !chunks.some(({ type }) => type === 'PLTE')) throw new Error('its palette is missing');
  const compressed = chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  await checkInflatedLength(compressed, inflatedLength(header));

  const { decode } = await lazyImport(() => import('fast-png'));
  const pixelFile = new Blob([file.slice(0, 8), ...chunks.map(({ whole }) => whole)]);
  const pixels = expandPng(decode(await pixelFile.arrayBuffer(), { checkCrc: true }));
  const exif = all.find(({ type }) => type === 'eXIf');
  return exif === undefined ? pixels : applyOrientation(pixels, readOrientation(exif.data));
}

/** Channels and permitted depths of each colour type: PNG specification, third edition, 11.2.1. */
const colourTypes: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

function readHeader(data: Uint8Array): Header {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [depth, colour, , , interlace] = data.subarray(8) as unknown as [number, number, number, number, number];
  const type = colourTypes[colour];
  if (type === undefined || !type.depths.includes(depth)) {
    throw new Error(`there is no colour type ${colour} of ${depth} bits`);
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth,
    channels: type.channels,
    isIndexed: colour === 3,
    isInterlaced: interlace !== 0,
  };
}

/** First pixel and stride of each pass of an interlaced file: x, y, to the right, down. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Bytes of all rows, each with its filter byte. */
function inflatedLength({ width, height, depth, channels, isInterlaced }: Header): number {
  let total = 0;
  for (const [x, y, right, down] of isInterlaced ? passes : [[0, 0, 1, 1] as const]) {
    const [columns, rows] = [Math.ceil((width - x) / right), Math.ceil((height - y) / down)];
    if (columns > 0 && rows > 0) total += rows * (1 + Math.ceil((columns * channels * depth) / 8));
  }
  return total;
}

/** Inflates without keeping the result, and stops at the expected length: fast-png would inflate a bomb into memory. */
async function checkInflatedLength(compressed: readonly Uint8Array<ArrayBuffer>[], expected: number): Promise<void> {
  const reader = new Blob([...compressed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new Error('its pixel data cannot be decompressed', { cause: error });
    });
    if (done) break;
    length += value.length;
    if (length > expected) {
      await reader.cancel();
      throw new Error(`its pixel data decompresses to more than the ${expected} bytes in its header`);
    }
  }
  if (length < expected)
    throw new Error(`its pixel data decompresses to ${length} bytes, but its header says ${expected}`);
}
