import { UnsupportedError } from '@sd/core';
import type { Dtype } from './dtype.js';

/** A tensor's bytes as float32 values: 16-bit floats are widened. Throws an UnsupportedError for integers and 8-bit floats. */
export function toFloat32(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, byteLength / 2), halfToFloat);
    case 'BF16': {
      const bits = Uint32Array.from(new Uint16Array(buffer, byteOffset, byteLength / 2), (half) => half << 16);
      return new Float32Array(bits.buffer);
    }
    default:
      throw new UnsupportedError(`Tensors of type ${dtype} cannot be read as float32: they must be F32, F16 or BF16.`);
  }
}

/** The value of an IEEE 754 half-precision number, given its bits. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
