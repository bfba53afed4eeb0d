import type { Graph } from '../graph.js';
import { staticDim, type Value } from '../value.js';

export interface AttentionOptions {
  /** Does each place see those before it only? */
  readonly causal?: boolean;
  /** Added to the scores: [n or 1, 1, s, l]. */
  readonly bias?: Value;
}

/** The fused operator: on the CPU and on WebGPU its flash form, where the scores are never whole in memory. */
export function fusedAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  heads: number,
  { causal = false, bias }: AttentionOptions = {},
): Value {
  const none = { name: '', dims: [] };
  return g.op(
    'MultiHeadAttention',
    [query, key, value, ...(bias === undefined ? [] : [none, none, bias])],
    query.dims,
    { num_heads: BigInt(heads), ...(causal ? { unidirectional: 1n } : {}) },
    'com.microsoft',
  );
}

/**
 * One head after the other: for WebAssembly, which has no flash form. The scores are those of one head then, and not of
 * all, which for 512 x 512 pixels are half a gigabyte a picture.
 */
export function headByHead(g: Graph, [query, key, value]: readonly [Value, Value, Value], heads: number): Value {
  const width = staticDim(query, -1) / heads;
  const parts = Array.from({ length: heads }, (_, i) => {
    const columns = (x: Value) => {
      const range = [i * width, (i + 1) * width, 2].map((number) => g.indices([number]));
      return g.op('Slice', [x, ...range], [x.dims[0], x.dims[1], width]);
    };
    return fusedAttention(g, [columns(query), columns(key), columns(value)], 1);
  });
  return g.concat(parts, 2);
}
