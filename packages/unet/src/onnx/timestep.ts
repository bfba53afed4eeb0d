import { type Tensor, type TensorInfo, tensor } from '@sd/core';

/**
 * A timestep in the shape that an exported model takes: a scalar, one per row of the batch, or a fixed count. The session
 * truncates it for models with integer timesteps, as diffusers does.
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
