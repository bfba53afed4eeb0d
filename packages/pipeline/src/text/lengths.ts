import { type Tensor, TensorError, type TextEmbedding, tensor } from '@sd/core';

type Hidden = Tensor<'float32'>;

/** Embeddings [tokens, width], one behind the other: [sum of tokens, width]. Throws a TensorError if their widths differ. */
export function joinTokens(parts: readonly Hidden[]): Hidden {
  if (parts.length === 1) return parts[0]!;
  const width = parts[0]!.dims[1]!;
  const other = parts.find(({ dims }) => dims[1] !== width);
  if (other !== undefined) {
    throw new TensorError('bad-tensor', `Embeddings of widths ${width} and ${other.dims[1]} cannot be joined.`);
  }
  const joined = tensor('float32', [parts.reduce((sum, { dims }) => sum + dims[0]!, 0), width]);
  let at = 0;
  for (const { data } of parts) {
    joined.data.set(data, at);
    at += data.length;
  }
  return joined;
}

/** An embedding with as many of the empty prompt's windows behind it as make it `tokens` long. */
export function fillUp(hidden: Hidden, tokens: number, empty: Hidden): Hidden {
  const count = (tokens - hidden.dims[0]!) / empty.dims[0]!;
  return count === 0 ? hidden : joinTokens([hidden, ...Array<Hidden>(count).fill(empty)]);
}

/**
 * Texts of one length, which the U-Net needs to see them together: each is repeated up to the least common multiple of the
 * lengths, as in ComfyUI. Attention gives the same for tokens that are all there as often, so this is what the texts give
 * when each is alone, as they are in A1111.
 */
export function sameLength(texts: readonly TextEmbedding[]): TextEmbedding[] {
  const lengths = texts.map(({ hidden }) => hidden.dims[0]!);
  const tokens = lengths.reduce(leastCommonMultiple);
  return texts.map((text, i) => {
    const times = tokens / lengths[i]!;
    return times === 1 ? text : { ...text, hidden: joinTokens(Array<Hidden>(times).fill(text.hidden)) };
  });
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
