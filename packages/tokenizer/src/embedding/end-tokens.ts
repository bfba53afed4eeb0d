import { type Tensor, tensor } from '@sd/core';

/** Which vector stands at the end token of each window of a text: the window's own, the first window's, or the mean of all. */
export type EndTokens = 'own' | 'first' | 'mean';

/**
 * Puts one vector at the end tokens of all windows of an embedding, [tokens, width]. CLIP gathers there what the text before
 * it says, and a later window holds only the rest of the text. `ends` are the positions of the end tokens.
 *
 * compel's `SplitLongTextMode.COPY_FIRST_CLS_TOKEN` (`first`) and `MERGE_CLS_TOKENS` (`mean`), embeddings_provider.py.
 */
export function withEndTokens(hidden: Tensor<'float32'>, ends: readonly number[], mode: EndTokens): Tensor<'float32'> {
  if (mode === 'own' || ends.length === 1) return hidden;
  const width = hidden.dims[1];
  const sources = mode === 'first' ? ends.slice(0, 1) : ends;
  const vector = Float32Array.from(
    { length: width },
    (_, i) => sources.reduce((sum, end) => sum + hidden.data[end * width + i], 0) / sources.length,
  );
  const result = tensor('float32', hidden.dims, hidden.data.slice());
  for (const end of ends) result.data.set(vector, end * width);
  return result;
}
