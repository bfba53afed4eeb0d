import type { Nodes } from '../nodes.js';
import { staticDim, type Value } from '../value.js';
import { mul, transpose } from './basic.js';

/** See `Graph.attentionProbabilities`. In float32 in a half-precision graph too, whose scores may overflow float16. */
export function attentionProbabilities(n: Nodes, query: Value, key: Value, heads: number): Value {
  const width = staticDim(query, -1) / heads;
  const byHead = (x: Value, order: readonly number[]) =>
    transpose(n, n.shapes.reshape(n.cast(x, 'float32'), [x.dims[0], x.dims[1], heads, width]), order);
  const [batch, positions] = query.dims;
  const tokens = key.dims[1];
  // Keys are far fewer than queries: scaled here, the scores need no scaling.
  const keys = mul(n, byHead(key, [0, 2, 3, 1]), n.constant([1 / Math.sqrt(width)]));
  const scores = n.op('MatMul', [byHead(query, [0, 2, 1, 3]), keys], [batch, heads, positions, tokens]);
  const probabilities = n.op('Softmax', [scores], scores.dims, { axis: -1n });
  return n.op('ReduceMean', [probabilities, n.shapes.indices([1])], [batch, positions, tokens], { keepdims: 0n });
}
