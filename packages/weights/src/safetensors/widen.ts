import type { Dtype } from './dtype.js';

/** True for 8-bit floats, for which runtimes have no operators. */
export function isFloat8(dtype: Dtype): dtype is 'F8_E4M3' | 'F8_E5M2' {
  return dtype === 'F8_E4M3' || dtype === 'F8_E5M2';
}

/**
 * 8-bit floats as half precision, which represents them exactly: E5M2 is a half's upper byte; E4M3 has 4 exponent bits
 * with bias 7 and 3 fraction bits, no infinity, and NaN as its largest pattern.
 * @see arXiv 2209.05433, FP8 Formats for Deep Learning, 3.1
 */
export function float8ToHalf(dtype: 'F8_E4M3' | 'F8_E5M2', bytes: Uint8Array): Uint8Array {
  const table = Uint16Array.from({ length: 256 }, (_, byte) => (dtype === 'F8_E5M2' ? byte << 8 : halfOfE4M3(byte)));
  return new Uint8Array(Uint16Array.from(bytes, (byte) => table[byte]).buffer);
}

function halfOfE4M3(byte: number): number {
  const sign = (byte & 0x80) << 8;
  const exponent = (byte >> 3) & 0xf;
  const fraction = byte & 7;
  if (exponent === 0xf && fraction === 7) return sign | 0x7e00;
  if (exponent > 0) return sign | ((exponent + 8) << 10) | (fraction << 7);
  if (fraction === 0) return sign;
  // A subnormal value, fraction * 2^-9, is normal in half precision.
  const shift = Math.clz32(fraction) - 29;
  return sign | ((8 - shift) << 10) | (((fraction << (shift + 1)) & 7) << 7);
}
