import { type Tensor, type TensorInfo, tensor } from '@sd/core';

/**
 * A timestep as an exported model takes it: a scalar, one for each of the batch, or a fixed number of the same. Models that
 * take whole numbers get what is before the point, as in diffusers.
 */
export function timestepFor(
  { dims }: TensorInfo,
  sample: TensorInfo,
  timestep: number,
  batch: number,
): Tensor<'float32'> {
  if (dims.length === 0) return tensor('float32', [], Float32Array.of(timestep));
  const [size] = dims;
  const count = typeof size === 'number' ? size : size === sample.dims[0] && size !== '?' ? batch : 1;
  return tensor('float32', [count], new Float32Array(count).fill(timestep));
}
