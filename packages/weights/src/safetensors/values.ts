import { bytesOf, type Dtype } from './dtype.js';
import { float8Values, isFloat8 } from './float8.js';

/**
 * A tensor's bytes as float32 values: narrower floats are exact, float64 and integers are rounded to the nearest value, and
 * booleans are 0 or 1.
 */
export function toFloat32(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % bytesOf[dtype] === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned as Uint8Array<ArrayBuffer>;
  const at = [buffer, byteOffset, byteLength / bytesOf[dtype]] as const;
  if (isFloat8(dtype)) {
    const values = float8Values(dtype);
    return Float32Array.from(aligned, (byte) => values[byte]);
  }
  switch (dtype) {
    case 'F32':
      return new Float32Array(...at);
    case 'F16':
      return Float32Array.from(new Uint16Array(...at), halfToFloat);
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(...at), (half) => half << 16).buffer);
    case 'BOOL':
      return Float32Array.from(aligned, (byte) => (byte === 0 ? 0 : 1));
    case 'I64':
    case 'U64':
      return Float32Array.from(dtype === 'I64' ? new BigInt64Array(...at) : new BigUint64Array(...at), Number);
    default:
      return Float32Array.from(new arrays[dtype](...at));
  }
}

const arrays = {
  F64: Float64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
};

/** The value of an IEEE 754 half-precision number, given its bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
