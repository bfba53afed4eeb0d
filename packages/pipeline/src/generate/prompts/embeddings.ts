import { type Tensor, type TextEmbedding, tensor } from '@sd/core';

/** An embedding of zeros, which SDXL was trained with in place of an empty prompt. */
export function zerosLike({ hidden, pooled }: TextEmbedding): TextEmbedding {
  const zeros = ({ dims }: Tensor<'float32'>) => tensor('float32', dims);
  return { hidden: zeros(hidden), pooled: pooled && zeros(pooled) };
}
