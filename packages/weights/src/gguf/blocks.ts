import { halfToFloat } from '../safetensors/values.js';

/** A way of storing a run of values as small integers with common scales. */
export interface BlockType {
  /** Values in a block. */
  readonly count: number;
  /** Bytes in a block. */
  readonly bytes: number;
  /** Writes the values of the block at `at` to `to`. */
  decode(block: DataView, at: number, to: Float32Array): void;
}

const half = (block: DataView, at: number) => halfToFloat(block.getUint16(at, true));
const byte = (block: DataView, at: number) => block.getUint8(at);

/** 32 values of 4 or 5 bits: scale, minimum if it has one, the fifth bits, then two values per byte, 16 apart. */
function nibbles(bits: 4 | 5, hasMinimum: boolean): BlockType {
  const fifthBits = hasMinimum ? 4 : 2;
  const values = fifthBits + (bits === 5 ? 4 : 0);
  return {
    count: 32,
    bytes: values + 16,
    decode(block, at, to) {
      const scale = half(block, at);
      const center = hasMinimum ? 0 : 2 ** (bits - 1);
      const fifth = bits === 5 ? block.getUint32(at + fifthBits, true) : 0;
      for (let i = 0; i < 32; i++) {
        const low = (byte(block, at + values + (i & 15)) >> (i < 16 ? 0 : 4)) & 15;
        const value = scale * ((low | (((fifth >>> i) & 1) << 4)) - center);
        to[i] = hasMinimum ? value + half(block, at + 2) : value;
      }
    },
  };
}

const eightBits: BlockType = {
  count: 32,
  bytes: 34,
  decode(block, at, to) {
    const scale = half(block, at);
    for (let i = 0; i < 32; i++) to[i] = scale * block.getInt8(at + 2 + i);
  },
};

/** The 6-bit scale and minimum of one of eight runs of 32 values, in 12 bytes. */
function scaleAndMinimum(block: DataView, at: number, run: number): [scale: number, minimum: number] {
  const s = (i: number) => byte(block, at + i);
  if (run < 4) return [s(run) & 63, s(run + 4) & 63];
  return [(s(run + 4) & 15) | ((s(run - 4) >> 6) << 4), (s(run + 4) >> 4) | ((s(run) >> 6) << 4)];
}

/** 256 values of 4 or 5 bits in 8 runs: 2 scales, the runs' scales, the fifth bits, then two values per byte, 32 apart. */
function runsOf32(bits: 4 | 5): BlockType {
  const values = bits === 5 ? 48 : 16;
  return {
    count: 256,
    bytes: values + 128,
    decode(block, at, to) {
      for (let run = 0; run < 8; run++) {
        const [scale, minimum] = scaleAndMinimum(block, at + 4, run);
        const [step, least] = [half(block, at) * scale, half(block, at + 2) * minimum];
        for (let i = 0; i < 32; i++) {
          const low = (byte(block, at + values + 32 * (run >> 1) + i) >> (4 * (run & 1))) & 15;
          const fifth = bits === 5 ? (byte(block, at + 16 + i) >> run) & 1 : 0;
          to[32 * run + i] = step * (low | (fifth << 4)) - least;
        }
      }
    },
  };
}

/** 256 values of 2 bits in 16 runs, each with a 4-bit scale and minimum. */
const twoBits: BlockType = {
  count: 256,
  bytes: 84,
  decode(block, at, to) {
    const [scale, minimum] = [half(block, at + 80), half(block, at + 82)];
    for (let i = 0; i < 256; i++) {
      const both = byte(block, at + (i >> 4));
      to[i] = scale * (both & 15) * twoBitsAt(block, at + 16, i) - minimum * (both >> 4);
    }
  },
};

/** 256 values of 3 bits in 16 runs, each with a 6-bit scale; the third bits are stored separately. */
const threeBits: BlockType = {
  count: 256,
  bytes: 110,
  decode(block, at, to) {
    const scale = half(block, at + 108);
    for (let i = 0; i < 256; i++) {
      const run = i >> 4;
      const low = (byte(block, at + 96 + (run & 7)) >> (run < 8 ? 0 : 4)) & 15;
      const high = (byte(block, at + 104 + (run & 3)) >> (2 * (run >> 2))) & 3;
      const third = (byte(block, at + (i & 31)) >> (i >> 5)) & 1;
      to[i] = scale * ((low | (high << 4)) - 32) * (twoBitsAt(block, at + 32, i) - (third === 1 ? 0 : 4));
    }
  },
};

/** The low two bits of one of 256 values: each byte has those of four, 32 apart. */
const twoBitsAt = (block: DataView, at: number, i: number) =>
  (byte(block, at + 32 * (i >> 7) + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3;

/** 256 values of 6 bits in 16 runs, each with an 8-bit scale; the upper two bits are stored separately. */
const sixBits: BlockType = {
  count: 256,
  bytes: 210,
  decode(block, at, to) {
    const scale = half(block, at + 208);
    for (let i = 0; i < 256; i++) {
      const [side, quarter, place] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = (byte(block, at + 64 * side + 32 * (quarter & 1) + place) >> (4 * (quarter >> 1))) & 15;
      const high = (byte(block, at + 128 + 32 * side + place) >> (2 * quarter)) & 3;
      to[i] = scale * block.getInt8(at + 192 + (i >> 4)) * ((low | (high << 4)) - 32);
    }
  },
};

/**
 * The types of blocks, by the names of ggml.
 * @see github.com/ggml-org/ggml, src/ggml-common.h and src/ggml-quants.c
 */
export const blockTypes: Readonly<Record<string, BlockType>> = {
  Q4_0: nibbles(4, false),
  Q4_1: nibbles(4, true),
  Q5_0: nibbles(5, false),
  Q5_1: nibbles(5, true),
  Q8_0: eightBits,
  Q2_K: twoBits,
  Q3_K: threeBits,
  Q4_K: runsOf32(4),
  Q5_K: runsOf32(5),
  Q6_K: sixBits,
};
