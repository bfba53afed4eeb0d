import type { Bits } from './bits.js';

/** A Huffman table: the next symbol of the bits. Throws an Error for bits that are no code of it. */
export type Huffman = (bits: Bits) => number;

const quick = 8;

/**
 * A table from how many codes there are of each length, 1 to 16, and their symbols in order. Throws an Error where there
 * are more codes than can be. ITU-T T.81, C.2 and F.2.2.3.
 */
export function huffman(counts: Uint8Array, symbols: Uint8Array): Huffman {
  const short = new Uint16Array(1 << quick);
  const last = new Int32Array(17).fill(-1);
  const offset = new Int32Array(17);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    offset[length] = index - code;
    if (code + count > 1 << length) throw new Error('a Huffman table has too many codes');
    if (length <= quick) {
      for (let i = 0; i < count; i++) {
        const from = (code + i) << (quick - length);
        short.fill((length << 8) | symbols[index + i]!, from, from + (1 << (quick - length)));
      }
    }
    code += count;
    index += count;
    if (count > 0) last[length] = code - 1;
    code <<= 1;
  }
  return (bits) => {
    const entry = short[bits.peek(quick)]!;
    if (entry !== 0) {
      bits.take(entry >> 8);
      return entry & 0xff;
    }
    for (let length = quick + 1; length <= 16; length++) {
      const code = bits.peek(length);
      if (code > last[length]!) continue;
      bits.take(length);
      return symbols[code + offset[length]!]!;
    }
    throw new Error('its pixels have a code that is in no table');
  };
}

/** A number of so many bits, whose negatives begin with a zero. ITU-T T.81, F.2.2.1. */
export function signed(bits: Bits, size: number): number {
  if (size === 0) return 0;
  if (size > 15) throw new Error('a coefficient has more than 15 bits');
  const value = bits.take(size);
  return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}
