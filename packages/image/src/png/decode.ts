import { InvalidOptionError } from '@sd/core';
import { orientationOf, upright } from '../exif.js';
import { checkSize } from '../size.js';
import { readChunks } from './chunks.js';
import type { Pixels } from './encode.js';
import { expandPng } from './samples.js';

const needed = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

interface Header {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** Samples of a pixel. */
  readonly channels: number;
  /** Samples are places in a palette. */
  readonly indexed: boolean;
  readonly interlaced: boolean;
}

/**
 * A PNG file as RGBA, upright by its EXIF orientation. Only the chunks that pixels depend on are unpacked, and those only if they unpack to what the
 * header says. Throws an InvalidOptionError for a size or kind that is not read, or an Error for what is broken.
 */
export async function decodePng(file: Uint8Array, option: string): Promise<Pixels> {
  const all = readChunks(file, option);
  const header = readHeader(all[0]!.data);
  checkSize(header.width, header.height, option);
  if (header.interlaced && header.depth < 8) {
    throw new InvalidOptionError(
      option,
      `is an interlaced PNG file of ${header.depth} bits a sample, which this version does not read. Save it without interlacing.`,
    );
  }
  const chunks = all.filter(({ type }) => needed.includes(type));
  if (header.indexed && !chunks.some(({ type }) => type === 'PLTE')) throw new Error('its palette is missing');
  const packed = chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data);
  await checkLength(packed, unpackedLength(header));

  const { decode } = await import('fast-png');
  const clean = new Blob([file.slice(0, 8), ...chunks.map(({ whole }) => whole)]);
  const pixels = expandPng(decode(await clean.arrayBuffer(), { checkCrc: true }));
  const exif = all.find(({ type }) => type === 'eXIf');
  return exif === undefined ? pixels : upright(pixels, orientationOf(exif.data));
}

/** PNG specification, third edition, 11.2.1: which depths a colour type may have, and how many channels it has. */
const kinds: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

function readHeader(data: Uint8Array): Header {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [depth, colour, , , interlace] = data.subarray(8) as unknown as [number, number, number, number, number];
  const kind = kinds[colour];
  if (kind === undefined || !kind.depths.includes(depth)) {
    throw new Error(`there is no colour type ${colour} of ${depth} bits`);
  }
  return {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth,
    channels: kind.channels,
    indexed: colour === 3,
    interlaced: interlace !== 0,
  };
}

/** Where each pass of an interlaced file begins, and its steps: x, y, to the right, down. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** How many bytes the rows are, each with the byte that names its filter. */
function unpackedLength({ width, height, depth, channels, interlaced }: Header): number {
  let total = 0;
  for (const [x, y, right, down] of interlaced ? passes : [[0, 0, 1, 1] as const]) {
    const [columns, rows] = [Math.ceil((width - x) / right), Math.ceil((height - y) / down)];
    if (columns > 0 && rows > 0) total += rows * (1 + Math.ceil((columns * channels * depth) / 8));
  }
  return total;
}

/** Unpacks without keeping, and stops where it is too much: fast-png would go on and keep it all. */
async function checkLength(packed: readonly Uint8Array<ArrayBuffer>[], wanted: number): Promise<void> {
  const reader = new Blob([...packed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new Error('its pixels do not unpack', { cause: error });
    });
    if (done) break;
    length += value.length;
    if (length > wanted) {
      await reader.cancel();
      throw new Error(`its pixels unpack to more than the ${wanted} bytes that its header says`);
    }
  }
  if (length < wanted) throw new Error(`its pixels unpack to ${length} bytes; its header says ${wanted}`);
}
