import { expectTensor, type Tensor, type TextEmbedding, tensor } from '@sd/core';

/** Interpolates linearly between two prompts' embeddings, `amount` from 0 to 1. Throws a TensorError if their shapes differ. */
export function blendEmbeddings(from: TextEmbedding, to: TextEmbedding, amount: number): TextEmbedding {
  const hidden = interpolate(from.hidden, to.hidden, amount);
  if (from.pooled === undefined || to.pooled === undefined) return { hidden };
  return { hidden, pooled: interpolate(from.pooled, to.pooled, amount) };
}

function interpolate(from: Tensor<'float32'>, to: Tensor<'float32'>, amount: number): Tensor<'float32'> {
  expectTensor('The embedding to blend with', to, 'float32', from.dims);
  const data = from.data.map((value, i) => (1 - amount) * value + amount * to.data[i]);
  return tensor('float32', from.dims, data);
}
