import type { Dtype } from './dtype.js';

export type Float8 = Extract<Dtype, `F8_${string}`>;

/** True for 8-bit floats, for which runtimes have no operators. */
export function isFloat8(dtype: Dtype): dtype is Float8 {
  return dtype.startsWith('F8_');
}

/**
 * The values of all 256 patterns of an 8-bit float; half precision represents each of them exactly. E5M2 has a half's
 * exponents. E4M3 has no infinity, and NaN as its largest pattern. The types that end in FNUZ have a larger bias, no
 * infinity and no negative zero, whose pattern is NaN.
 * @see arXiv 2209.05433, FP8 Formats for Deep Learning, 3.1; arXiv 2206.02915, 8-bit Numerical Formats
 */
export function float8Values(dtype: Float8): Float32Array {
  const fractionBits = dtype.startsWith('F8_E4M3') ? 3 : 2;
  const unsignedZero = dtype.endsWith('FNUZ');
  const bias = 2 ** (6 - fractionBits) - (unsignedZero ? 0 : 1);
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const sign = byte >= 0x80 ? -1 : 1;
    const exponent = (byte & 0x7f) >> fractionBits;
    const fraction = (byte & (2 ** fractionBits - 1)) / 2 ** fractionBits;
    if (unsignedZero && byte === 0x80) return Number.NaN;
    if (dtype === 'F8_E4M3' && (byte & 0x7f) === 0x7f) return Number.NaN;
    if (dtype === 'F8_E5M2' && exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
  });
}
