import type { Dtype } from './dtype.js';

/** Is it a type of 8-bit floats, which runtimes have no operators for? */
export function isFloat8(dtype: Dtype): dtype is 'F8_E4M3' | 'F8_E5M2' {
  return dtype === 'F8_E4M3' || dtype === 'F8_E5M2';
}

/**
 * 8-bit floats as half-precision ones, which hold all of their values: E5M2 is the upper byte of one; E4M3 (no infinity,
 * its largest pattern is NaN) has 4 bits of exponent with bias 7 and 3 of fraction.
 * @see arXiv 2209.05433, FP8 Formats for Deep Learning, 3.1
 */
export function float8ToHalf(dtype: 'F8_E4M3' | 'F8_E5M2', bytes: Uint8Array): Uint8Array {
  const table = Uint16Array.from({ length: 256 }, (_, byte) => (dtype === 'F8_E5M2' ? byte << 8 : halfOfE4M3(byte)));
  return new Uint8Array(Uint16Array.from(bytes, (byte) => table[byte]!).buffer);
}

function halfOfE4M3(byte: number): number {
  const sign = (byte & 0x80) << 8;
  const exponent = (byte >> 3) & 0xf;
  const fraction = byte & 7;
  if (exponent === 0xf && fraction === 7) return sign | 0x7e00;
  if (exponent > 0) return sign | ((exponent + 8) << 10) | (fraction << 7);
  if (fraction === 0) return sign;
  // A subnormal, fraction * 2^-9, is a normal number in half precision.
  const shift = Math.clz32(fraction) - 29;
  return sign | ((8 - shift) << 10) | (((fraction << (shift + 1)) & 7) << 7);
}
