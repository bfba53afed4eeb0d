import { expectFinite, expectTensor, type Tensor, TensorError, tensor } from '@sd/core';

type Hidden = Tensor<'float32'>;

/**
 * A1111's token weights: each token's vector is multiplied by its weight, then all of them by one factor, so that the
 * mean of the embedding stays the same (sd_emphasis.py, "Original").
 *
 * `hidden` and `empty` (the empty prompt's) are one window, [tokens, width]; `weights` is [tokens]. Throws a TensorError
 * if the shapes differ, or if a result is not finite.
 */
export function scaleKeepingMean(hidden: Hidden, weights: Float32Array, empty: Hidden): Hidden {
  const scaled = weighTokens(hidden, weights, empty, (value, weight) => value * weight);
  if (scaled !== hidden) restoreMean(scaled.data, meanOf(hidden.data));
  return scaled;
}

/**
 * ComfyUI's and compel's token weights: each token's vector is moved to `weight` times its distance from the vector at the
 * same position of the empty prompt.
 *
 * `hidden` and `empty` are one window, [tokens, width]; `weights` is [tokens]. Throws a TensorError if the shapes differ, or
 * if a result is not finite.
 */
export function scaleFromEmpty(hidden: Hidden, weights: Float32Array, empty: Hidden): Hidden {
  return weighTokens(hidden, weights, empty, (value, weight, base) =>
    weight === 1 ? value : base + (value - base) * weight,
  );
}

function weighTokens(
  hidden: Hidden,
  weights: Float32Array,
  empty: Hidden,
  weigh: (value: number, weight: number, emptyValue: number) => number,
): Hidden {
  const [tokens, width] = hidden.dims as [number, number];
  expectTensor('The empty prompt’s embedding', empty, 'float32', hidden.dims);
  if (weights.length !== tokens) {
    throw new TensorError('bad-tensor', `There are ${weights.length} weights for an embedding of ${tokens} tokens.`);
  }
  if (weights.every((weight) => weight === 1)) return hidden;
  const data = hidden.data.map((value, i) => weigh(value, weights[Math.floor(i / width)], empty.data[i]));
  expectFinite('The weighted embedding', data);
  return tensor('float32', hidden.dims, data);
}

function restoreMean(data: Float32Array, mean: number): void {
  const scaledMean = meanOf(data);
  if (scaledMean === 0) return;
  const factor = mean / scaledMean;
  for (let i = 0; i < data.length; i++) data[i] *= factor;
}

function meanOf(data: Float32Array): number {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

/** An embedding, and how much of it goes into a sum. */
export interface WeightedHidden {
  readonly hidden: Hidden;
  readonly weight: number;
}

/**
 * compel's weights below 1: mixes an embedding with those of the same text without the down-weighted words, `weight` being
 * what the missing words were given. At 0.5 both count the same, at 0 only the latter does: tan((1 - weight) pi / 2) of it
 * to 1 of the embedding (embeddings_provider.py).
 */
export function mixAblated(hidden: Hidden, ablated: readonly WeightedHidden[]): Hidden {
  const amounts = ablated.map(({ weight }) => Math.tan(((1 - Math.max(weight, 1e-5)) * Math.PI) / 2));
  const sum = amounts.reduce((a, b) => a + b, 1);
  return weightedSum([
    { hidden, weight: 1 / sum },
    ...ablated.map((text, i) => ({ hidden: text.hidden, weight: amounts[i] / sum })),
  ]);
}

/** The sum of embeddings of one shape, each times its weight. Throws a TensorError if their shapes differ. */
export function weightedSum(parts: readonly WeightedHidden[]): Hidden {
  const [first] = parts;
  if (parts.length === 1 && first.weight === 1) return first.hidden;
  const result = tensor('float32', first.hidden.dims);
  for (const { hidden, weight } of parts) {
    expectTensor('An embedding to mix', hidden, 'float32', result.dims);
    for (let i = 0; i < result.data.length; i++) result.data[i] += hidden.data[i] * weight;
  }
  return result;
}
