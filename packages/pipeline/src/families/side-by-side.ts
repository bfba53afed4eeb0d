import { expectTensor, type Tensor, type TextEmbedding, tensor } from '@sd/core';
import { type EncodedText, padToSameLength } from '@sd/tokenizer/embedding';

/**
 * Concatenates several text encoders' embeddings of one text along the width, [tokens, sum of widths], as in SDXL; the pooled
 * embedding is that of the last encoder. Shorter ones are first padded with windows of the empty prompt, as in ComfyUI.
 */
export function sideBySide(parts: readonly EncodedText[]): TextEmbedding {
  const embeddings = padToSameLength(parts);
  if (embeddings.length === 1) return embeddings[0];
  const hidden = concatWidths(embeddings.map((embedding) => embedding.hidden));
  return { hidden, pooled: embeddings.at(-1)?.pooled };
}

function concatWidths(parts: readonly Tensor<'float32'>[]): Tensor<'float32'> {
  const [tokens] = parts[0].dims;
  const widths = parts.map(({ dims }) => dims[1]);
  const width = widths.reduce((sum, next) => sum + next, 0);
  const joined = tensor('float32', [tokens, width]);
  let column = 0;
  for (const [i, part] of parts.entries()) {
    expectTensor(`The output of text encoder ${i + 1}`, part, 'float32', [tokens, -1]);
    for (let token = 0; token < tokens; token++) {
      const row = part.data.subarray(token * widths[i], (token + 1) * widths[i]);
      joined.data.set(row, token * width + column);
    }
    column += widths[i];
  }
  return joined;
}
