import { type Tensor, type TensorType, tensor } from '@sd/core';
import { toHalf } from '../safetensors/half.js';
import { toFloat32 } from '../safetensors/values.js';

/** Converts a tensor to another type: floats are rounded to the nearest value, integers are truncated. */
export function castTensor(value: Tensor, type: TensorType): Tensor {
  if (value.type === type) return value;
  const { dims } = value;
  const floats = asFloat32(value).data;
  switch (type) {
    case 'float32':
      return tensor(type, dims, floats);
    case 'float64':
      return tensor(type, dims, Float64Array.from(floats));
    case 'float16':
      return tensor(type, dims, toHalf(floats));
    case 'int32':
      return tensor(type, dims, Int32Array.from(floats));
    case 'int64':
      return tensor(
        type,
        dims,
        BigInt64Array.from(floats, (value) => BigInt(Math.trunc(value))),
      );
  }
}

export function asFloat32({ type, dims, data }: Tensor): Tensor<'float32'> {
  if (type === 'float16')
    return tensor('float32', dims, toFloat32('F16', new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  if (data instanceof Float32Array) return { type: 'float32', dims, data };
  return tensor('float32', dims, Float32Array.from(data as ArrayLike<number | bigint>, Number));
}
