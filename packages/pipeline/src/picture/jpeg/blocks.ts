import type { Bits } from './bits.js';
import { type Huffman, signed } from './huffman.js';

/** Where the coefficients of a block go, which a file has in zigzag order. ITU-T T.81, figure A.6. */
// biome-ignore format: as rows of 8.
export const zigzag = Uint8Array.of(
   0,  1,  8, 16,  9,  2,  3, 10,
  17, 24, 32, 25, 18, 11,  4,  5,
  12, 19, 26, 33, 40, 48, 41, 34,
  27, 20, 13,  6,  7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36,
  29, 22, 15, 23, 30, 37, 44, 51,
  58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
);

/** What a scan brings: which coefficients, and which of their bits. */
export interface ScanPart {
  readonly first: number;
  readonly last: number;
  /** The lowest bit that was there before, 0 at the first time; and the lowest that is there now. */
  readonly before: number;
  readonly now: number;
}

/** State that blocks of a scan hand on. */
export interface ScanState {
  /** How many blocks follow that end at once. */
  endRun: number;
  /** The last DC coefficient of each component. */
  readonly dc: Int32Array;
}

export interface BlockTables {
  readonly dc: Huffman;
  readonly ac: Huffman;
  /** Which of the state's DC coefficients. */
  readonly component: number;
}

/** Reads a block's part of a scan into 64 coefficients from `at` on. */
export type ReadBlock = (bits: Bits, to: Int16Array, at: number, tables: BlockTables, state: ScanState) => void;

/** ITU-T T.81, F.2.2: a whole block. */
export const sequential: ReadBlock = (bits, to, at, { dc, ac, component }, state) => {
  state.dc[component]! += signed(bits, dc(bits));
  to[at] = state.dc[component]!;
  for (let k = 1; k < 64; k++) {
    const symbol = ac(bits);
    const size = symbol & 15;
    if (size === 0 && symbol < 0xf0) return;
    k += symbol >> 4;
    if (k > 63) throw new Error('a block has too many coefficients');
    if (size > 0) to[at + zigzag[k]!] = signed(bits, size);
  }
};

/** ITU-T T.81, G.1.2 and G.2: how blocks of a progressive scan are read. */
export function progressive(part: ScanPart): ReadBlock {
  if (part.first === 0) return part.before === 0 ? dcFirst(part) : dcAgain(part);
  return part.before === 0 ? acFirst(part) : acAgain(part);
}

function dcFirst({ now }: ScanPart): ReadBlock {
  return (bits, to, at, { dc, component }, state) => {
    state.dc[component]! += signed(bits, dc(bits));
    to[at] = state.dc[component]! << now;
  };
}

function dcAgain({ now }: ScanPart): ReadBlock {
  return (bits, to, at) => {
    if (bits.take(1) === 1) to[at]! |= 1 << now;
  };
}

function acFirst({ first, last, now }: ScanPart): ReadBlock {
  return (bits, to, at, { ac }, state) => {
    if (state.endRun > 0) {
      state.endRun -= 1;
      return;
    }
    for (let k = first; k <= last; k++) {
      const symbol = ac(bits);
      const size = symbol & 15;
      const run = symbol >> 4;
      if (size === 0 && run < 15) {
        state.endRun = (1 << run) - 1 + bits.take(run);
        return;
      }
      k += run;
      if (k > 63) throw new Error('a block has too many coefficients');
      if (size > 0) to[at + zigzag[k]!] = signed(bits, size) << now;
    }
  };
}

function acAgain({ first, last, now }: ScanPart): ReadBlock {
  const one = 1 << now;
  const refine = (bits: Bits, to: Int16Array, i: number) => {
    const value = to[i]!;
    if (bits.take(1) === 1 && (value & one) === 0) to[i] = value + (value > 0 ? one : -one);
  };
  return (bits, to, at, { ac }, state) => {
    let k = first;
    for (; state.endRun === 0 && k <= last; k++) {
      const symbol = ac(bits);
      let run = symbol >> 4;
      let value = 0;
      if ((symbol & 15) > 0) value = bits.take(1) === 1 ? one : -one;
      else if (run < 15) {
        state.endRun = (1 << run) + bits.take(run);
        break;
      }
      for (; k <= last; k++) {
        const i = at + zigzag[k]!;
        if (to[i] !== 0) refine(bits, to, i);
        else if (run-- === 0) break;
      }
      if (value !== 0 && k <= last) to[at + zigzag[k]!] = value;
    }
    if (state.endRun === 0) return;
    for (; k <= last; k++) {
      const i = at + zigzag[k]!;
      if (to[i] !== 0) refine(bits, to, i);
    }
    state.endRun -= 1;
  };
}
