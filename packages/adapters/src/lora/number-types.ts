import { bytesOf, type Dtype, toFloat32 } from '@sd/weights';

const arrays = {
  F64: Float64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** A tensor's bytes as float32 values: float64 and integers are rounded to the nearest, booleans are 0 or 1. */
export function toNumbers(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % bytesOf[dtype] === 0 ? bytes : new Uint8Array(bytes);
  const at = [aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / bytesOf[dtype]] as const;
  if (dtype === 'I64' || dtype === 'U64') {
    return Float32Array.from(dtype === 'I64' ? new BigInt64Array(...at) : new BigUint64Array(...at), Number);
  }
  return dtype in arrays
    ? Float32Array.from(new arrays[dtype as keyof typeof arrays](...at))
    : toFloat32(dtype, aligned);
}
