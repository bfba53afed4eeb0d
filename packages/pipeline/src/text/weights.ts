import { expectFinite, expectTensor, type Tensor, TensorError, tensor } from '@sd/core';

type Hidden = Tensor<'float32'>;

/** Whose way of weighing tokens. */
export type WeightMode = 'a1111' | 'comfyui' | 'compel';

/**
 * A window's embedding, [tokens, width], with a weight for each token, [tokens]; `empty` is the empty prompt's.
 *
 * - `a1111`: the vectors are multiplied, then all of them, so that their mean is what it was (sd_emphasis.py, "Original").
 * - `comfyui` and `compel`: each vector is taken that far from the one at its place in the empty prompt's embedding.
 *   For weights below 1 compel also mixes in the prompt without these words: `mixWithout`.
 *
 * Throws a TensorError where the shapes differ, or where weights make numbers that are not finite.
 */
export function applyWeights(hidden: Hidden, weights: Float32Array, mode: WeightMode, empty: Hidden): Hidden {
  const [tokens, width] = hidden.dims as [number, number];
  expectTensor('The empty prompt’s embedding', empty, 'float32', hidden.dims);
  if (weights.length !== tokens) {
    throw new TensorError('bad-tensor', `There are ${weights.length} weights for an embedding of ${tokens} tokens.`);
  }
  if (weights.every((weight) => weight === 1)) return hidden;
  const weigh = (value: number, i: number) => {
    const weight = weights[Math.floor(i / width)]!;
    if (mode === 'a1111' || weight === 1) return value * weight;
    const base = empty.data[i]!;
    return base + (value - base) * weight;
  };
  const data = hidden.data.map(weigh);
  expectFinite('The weighted embedding', data);
  if (mode === 'a1111') restoreMean(data, meanOf(hidden.data));
  return tensor('float32', hidden.dims, data);
}

function restoreMean(data: Float32Array, mean: number): void {
  const now = meanOf(data);
  if (now === 0) return;
  const factor = mean / now;
  for (let i = 0; i < data.length; i++) data[i]! *= factor;
}

function meanOf(data: Float32Array): number {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

/** The embedding of a prompt that lacks some words, and the weight that these words were given, below 1. */
export interface Without {
  readonly hidden: Hidden;
  readonly weight: number;
}

/**
 * compel's weights below 1: the embedding is mixed with those of the prompt without the words. At a weight of 0.5 both
 * count the same, at 0 only the latter does: tan((1 - weight) pi / 2) of it to 1 of the embedding (embeddings_provider.py).
 */
export function mixWithout(hidden: Hidden, withouts: readonly Without[]): Hidden {
  const amounts = withouts.map(({ weight }) => Math.tan(((1 - Math.max(weight, 1e-5)) * Math.PI) / 2));
  const sum = amounts.reduce((a, b) => a + b, 1);
  return mixed([
    { hidden, weight: 1 / sum },
    ...withouts.map((without, i) => ({ hidden: without.hidden, weight: amounts[i]! / sum })),
  ]);
}

/** The sum of embeddings of one shape, each times its weight. */
export function mixed(parts: readonly { readonly hidden: Hidden; readonly weight: number }[]): Hidden {
  const [first] = parts;
  if (parts.length === 1 && first!.weight === 1) return first!.hidden;
  const result = tensor('float32', first!.hidden.dims);
  for (const { hidden, weight } of parts) {
    expectTensor('An embedding to mix', hidden, 'float32', result.dims);
    for (let i = 0; i < result.data.length; i++) result.data[i]! += hidden.data[i]! * weight;
  }
  return result;
}
