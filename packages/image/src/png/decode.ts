import { InvalidOptionError, lazyImport } from '@sd/core';
import { applyOrientation, readOrientation } from '../exif/orientation.js';
import { bytesOfLatin1 } from '../latin1.js';
import type { Pixels } from '../pixels.js';
import { checkSize } from '../size.js';
import { chunksOf, isIntact } from './chunks.js';
import { expandPng } from './samples.js';

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
 * and only after checking that they inflate to the size in the header. Time and memory are linear in the length and the
 * image's size, however many chunks there are. Throws an InvalidOptionError for an unsupported
 * size or format, and an Error for a broken file.
 */
export async function decodePng(file: Uint8Array, option: string): Promise<Pixels> {
  const { pixelChunks, compressed, exif } = collectChunks(file, option);
  const header = readHeader(pixelChunks.IHDR.subarray(8, -4));
  checkSize(header.width, header.height, option);
  if (header.isInterlaced && header.depth < 8) {
    throw new InvalidOptionError(
      option,
      `is an interlaced PNG file of ${header.depth} bits per sample, which is not supported. Save it without interlacing.`,
    );
  }
  if (header.isIndexed && pixelChunks.PLTE === undefined) throw new Error('its palette is missing');
  await checkInflatedLength(compressed, inflatedLength(header));

  const { decode } = await lazyImport(() => import('fast-png'));
  const [length, noChecksum] = [new Uint8Array(8), new Uint8Array(4)];
  new DataView(length.buffer).setUint32(0, compressed.length);
  length.set(bytesOfLatin1('IDAT'), 4);
  const { IHDR, PLTE = [], tRNS = [], IEND } = pixelChunks;
  const parts = [file.subarray(0, 8), IHDR, PLTE, tRNS, length, compressed, noChecksum, IEND];
  const pixels = expandPng(decode(joined(parts), { checkCrc: false }));
  return exif === undefined ? pixels : applyOrientation(pixels, readOrientation(exif));
}

interface Chunks {
  /** Whole chunks by type. */
  readonly pixelChunks: {
    readonly IHDR: Uint8Array;
    readonly PLTE?: Uint8Array;
    readonly tRNS?: Uint8Array;
    readonly IEND: Uint8Array;
  };
  /** The data of all IDAT chunks, joined. */
  readonly compressed: Uint8Array<ArrayBuffer>;
  readonly exif: Uint8Array | undefined;
}

/** The chunks that pixels are made from, their checksums verified. Of other chunks, only EXIF data is looked at. */
function collectChunks(file: Uint8Array, option: string): Chunks {
  const single = new Map<string, Uint8Array>();
  const compressed = new Uint8Array(file.length);
  let [end, exif]: [number, Uint8Array | undefined] = [0, undefined];
  for (const chunk of chunksOf(file, option)) {
    const { type, data, whole } = chunk;
    if (type === 'eXIf') exif ??= data;
    if (!/^(IHDR|PLTE|tRNS|IDAT|IEND)$/.test(type)) continue;
    if (!isIntact(chunk)) throw new Error(`its chunk ${type} has the wrong checksum`);
    if (type !== 'IDAT') {
      if (single.has(type)) throw new Error(`it has two chunks ${type}`);
      single.set(type, whole);
      continue;
    }
    compressed.set(data, end);
    end += data.length;
  }
  const pixelChunks = Object.fromEntries(single) as unknown as Chunks['pixelChunks'];
  return { pixelChunks, compressed: compressed.subarray(0, end), exif };
}

function joined(parts: readonly ArrayLike<number>[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
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
async function checkInflatedLength(compressed: Uint8Array<ArrayBuffer>, expected: number): Promise<void> {
  const reader = new Blob([compressed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
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
