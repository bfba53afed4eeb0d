import { type Tensor, tensor } from '@sd/core';

/** What stands at the end token of each window of a text: its own vector, the first window's, or the mean of all. */
export type EndTokens = 'own' | 'first' | 'mean';

/**
 * An embedding of several windows, [tokens, width], with one vector at the end tokens of all: CLIP gathers there what the
 * text before it says, which of a later window is a part without the beginning. `ends` are their places in it.
 *
 * compel's `SplitLongTextMode.COPY_FIRST_CLS_TOKEN` (`first`) and `MERGE_CLS_TOKENS` (`mean`), embeddings_provider.py.
 */
export function withEndTokens(hidden: Tensor<'float32'>, ends: readonly number[], mode: EndTokens): Tensor<'float32'> {
  if (mode === 'own' || ends.length === 1) return hidden;
  const width = hidden.dims[1]!;
  const sources = mode === 'first' ? ends.slice(0, 1) : ends;
  const vector = Float32Array.from(
    { length: width },
    (_, i) => sources.reduce((sum, end) => sum + hidden.data[end * width + i]!, 0) / sources.length,
  );
  const result = tensor('float32', hidden.dims, hidden.data.slice());
  for (const end of ends) result.data.set(vector, end * width);
  return result;
}
