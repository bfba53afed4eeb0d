import { expectTensor, type Tensor, type TextEmbedding, tensor } from '@sd/core';

/** Hidden states of several text encoders as one, [tokens, sum of widths], and the last one's vector for the whole. */
export function sideBySide(parts: readonly TextEmbedding[]): TextEmbedding {
  if (parts.length === 1) return parts[0]!;
  const [tokens] = parts[0]!.hidden.dims as [number];
  const widths = parts.map(({ hidden }) => hidden.dims[1]!);
  const width = widths.reduce((sum, one) => sum + one, 0);
  const hidden = tensor('float32', [tokens, width]);
  let start = 0;
  for (const [k, part] of parts.entries()) {
    expectTensor('The second text encoder’s output', part.hidden, 'float32', [tokens, -1]);
    for (let i = 0; i < tokens; i++) {
      hidden.data.set(part.hidden.data.subarray(i * widths[k]!, (i + 1) * widths[k]!), i * width + start);
    }
    start += widths[k]!;
  }
  const { pooled } = parts.at(-1)!;
  return { hidden, ...(pooled && { pooled }) };
}

/** An embedding of zeros, as SDXL's models were trained with in place of an empty text. */
export function zerosLike({ hidden, pooled }: TextEmbedding): TextEmbedding {
  const zeros = ({ dims }: Tensor<'float32'>) => tensor('float32', dims);
  return { hidden: zeros(hidden), ...(pooled && { pooled: zeros(pooled) }) };
}
