import { InvalidOptionError, type Tensor, TensorError, type TextEmbedding, tensor } from '@sd/core';

type Hidden = Tensor<'float32'>;

/** A text's embedding, and that of the empty prompt, which fills it up. */
export interface EncodedText {
  readonly embedding: TextEmbedding;
  /** One window. Undefined where all texts are one window, so that none needs filling up. */
  readonly empty?: TextEmbedding;
}

/** The most tokens that texts are repeated to: an embedding of half a gigabyte in SDXL. */
const maxRepeatedTokens = 2 ** 16;

/** Joins embeddings [tokens, width] along the tokens: [sum of tokens, width]. Throws a TensorError if their widths differ. */
export function joinTokens(parts: readonly Hidden[]): Hidden {
  if (parts.length === 1) return parts[0];
  const width = parts[0].dims[1];
  const mismatch = parts.find(({ dims }) => dims[1] !== width);
  if (mismatch !== undefined) {
    throw new TensorError('bad-tensor', `Embeddings of widths ${width} and ${mismatch.dims[1]} cannot be joined.`);
  }
  const joined = tensor('float32', [parts.reduce((sum, { dims }) => sum + dims[0], 0), width]);
  let offset = 0;
  for (const { data } of parts) {
    joined.data.set(data, offset);
    offset += data.length;
  }
  return joined;
}

/** Appends the empty prompt's window until the embedding has `tokens` tokens. */
export function padTokens(hidden: Hidden, tokens: number, empty: Hidden): Hidden {
  const windows = (tokens - hidden.dims[0]) / empty.dims[0];
  return windows === 0 ? hidden : joinTokens([hidden, ...Array<Hidden>(windows).fill(empty)]);
}

/** Pads all texts to the longest with windows of the empty prompt, as compel does. */
export function padToSameLength(texts: readonly EncodedText[]): TextEmbedding[] {
  const tokens = Math.max(...texts.map(({ embedding }) => embedding.hidden.dims[0]));
  return texts.map(({ embedding, empty }) =>
    empty === undefined ? embedding : { ...embedding, hidden: padTokens(embedding.hidden, tokens, empty.hidden) },
  );
}

/**
 * Repeats each text up to the least common multiple of the lengths, as ComfyUI does, so that the noise predictor can take
 * them in one batch. Attention gives the same result when every token occurs equally often, so each text has the effect
 * that it has alone, as in A1111. Throws an InvalidOptionError (`prompt`) if the common length is too long.
 */
export function repeatToSameLength(texts: readonly EncodedText[]): TextEmbedding[] {
  const lengths = texts.map(({ embedding }) => embedding.hidden.dims[0]);
  const tokens = lengths.reduce(leastCommonMultiple);
  if (tokens > maxRepeatedTokens && tokens > Math.max(...lengths)) {
    throw new InvalidOptionError(
      'prompt',
      `has texts of ${[...new Set(lengths)].join(', ')} tokens, with the negative prompt's. Repeated to the same length, they would have ${tokens}, more than ${maxRepeatedTokens}: shorten the longer ones.`,
    );
  }
  return texts.map(({ embedding }) => {
    const times = tokens / embedding.hidden.dims[0];
    if (times === 1) return embedding;
    return { ...embedding, hidden: joinTokens(Array<Hidden>(times).fill(embedding.hidden)) };
  });
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
