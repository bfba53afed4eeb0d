import type { RandomSource } from '../random.js';
import { seedBits } from './seed.js';

const rounds = 10;
const multiplierA = 0xd2511f53;
const multiplierB = 0xcd9e8d57;
const bumpA = 0x9e3779b9;
const bumpB = 0xbb67ae85;
const toUnit = 2 ** -32;
const toAngle = Math.fround(2.3283064e-10 * 6.2831855);

/**
 * The numbers of `torch.randn` on an NVIDIA GPU: A1111's "NV" source, stable-diffusion.cpp's `--rng cuda`.
 *
 * Each call starts a new row of counters, so drawing n and then m numbers differs from drawing n + m. The way a GPU fills
 * large tensors depends on their size; this matches it for the latents of one image per call, within 2e-6.
 *
 * Throws an InvalidOptionError (`seed`) unless the seed is an integer of up to 64 bits.
 * Follows A1111's modules/rng_philox.py. Philox4x32-10: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3"
 * (2011).
 */
export function nvPhilox(seed: number | bigint): RandomSource {
  const bits = seedBits(seed);
  const keyA = Number(BigInt.asUintN(32, bits));
  const keyB = Number(bits >> 32n);
  const out = new Uint32Array(4);
  let offset = 0;

  return {
    randn(count) {
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        philox4x32(out, [offset, 0, i, 0], keyA, keyB);
        const u = out[0] * toUnit + toUnit / 2;
        const v = out[1] * toAngle + toAngle / 2;
        values[i] = Math.sqrt(-2 * Math.log(u)) * Math.sin(v);
      }
      offset = (offset + 1) >>> 0;
      return values;
    },
  };
}

/** Philox4x32-10: 128 random bits for a counter of four 32-bit words and a key of two. */
export function philox4x32(
  out: Uint32Array,
  counter: readonly [number, number, number, number],
  keyA: number,
  keyB: number,
): void {
  let [c0, c1, c2, c3] = counter;
  let a = keyA;
  let b = keyB;
  for (let round = 0; round < rounds; round++) {
    const high0 = multiplyHigh(c2, multiplierB) ^ c1 ^ a;
    const high2 = multiplyHigh(c0, multiplierA) ^ c3 ^ b;
    c1 = Math.imul(c2, multiplierB);
    c3 = Math.imul(c0, multiplierA);
    c0 = high0;
    c2 = high2;
    a = (a + bumpA) | 0;
    b = (b + bumpB) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function multiplyHigh(x: number, y: number): number {
  const xLow = x & 0xffff;
  const xHigh = x >>> 16;
  const yLow = y & 0xffff;
  const yHigh = y >>> 16;
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = xLow * yHigh + (middle & 0xffff);
  return (xHigh * yHigh + (middle >>> 16) + (carry >>> 16)) | 0;
}
