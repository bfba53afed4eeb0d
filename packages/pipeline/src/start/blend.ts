import { expectTensor, type Tensor, type TextEmbedding, tensor } from '@sd/core';
import { lerp } from './mix.js';

/** From one prompt's embedding to another's, along a line. Throws a TensorError if they differ in shape. */
export function blendTexts(from: TextEmbedding, to: TextEmbedding, amount: number): TextEmbedding {
  const hidden = blended(from.hidden, to.hidden, amount);
  if (from.pooled === undefined || to.pooled === undefined) return { hidden };
  return { hidden, pooled: blended(from.pooled, to.pooled, amount) };
}

function blended(from: Tensor<'float32'>, to: Tensor<'float32'>, amount: number): Tensor<'float32'> {
  expectTensor('The embedding to blend with', to, 'float32', from.dims);
  return tensor('float32', from.dims, lerp(from.data, to.data, amount));
}
