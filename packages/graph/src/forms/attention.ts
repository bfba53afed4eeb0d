import type { Graph } from '../graph.js';
import type { Nodes } from '../nodes.js';
import { staticDim, type Value } from '../value.js';

interface AttentionOptions {
  /** Does each place see those before it only? */
  readonly causal?: boolean;
  /** Added to the scores: [n or 1, heads or 1, s, l]. */
  readonly bias?: Value | undefined;
  /** What the scores are multiplied with: one over the root of a head's width by default. */
  readonly scale?: number;
}

/** Of a graph that computes in half precision. */
export interface PreciseAttentionOptions extends AttentionOptions {
  /** Must it be computed in float32, since its scores leave the range of float16? */
  readonly upcast?: boolean;
}

/** As `Graph.attention` has it, in the form that the provider runs best. */
export function attention(
  g: Graph,
  n: Nodes,
  [query, key, value]: readonly [Value, Value, Value],
  heads: number,
  { upcast = false, ...shown }: PreciseAttentionOptions,
): Value {
  const type = upcast ? 'float32' : n.float;
  const parts = [n.cast(query, type), n.cast(key, type), n.cast(value, type)] as const;
  return n.cast(attentionForm(g, n, parts, heads, shown));
}

function attentionForm(
  g: Graph,
  { provider, fusedAttention: mayFuse }: Nodes,
  parts: readonly [Value, Value, Value],
  heads: number,
  options: AttentionOptions,
): Value {
  const { bias } = options;
  if (!mayFuse) {
    return headByHead(g, parts, heads, (head, i) =>
      plainAttention(g, head, { ...options, bias: bias && biasOfHead(g, bias, i) }),
    );
  }
  // As many queries as keys: a feature map's attention to itself, whose scores are large.
  const large = parts[1].dims[1] === parts[0].dims[1] && heads > 1;
  const plain = options.causal !== true && bias === undefined;
  return provider === 'wasm' && large && plain
    ? headByHead(g, parts, heads, (head) => fusedAttention(g, head, 1, options))
    : fusedAttention(g, parts, heads, options);
}

/** The fused operator: on the CPU and on WebGPU its flash form, where the scores are never whole in memory. */
function fusedAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  heads: number,
  { causal = false, bias, scale }: AttentionOptions = {},
): Value {
  const none = { name: '', dims: [] };
  return g.op(
    'MultiHeadAttention',
    [query, key, value, ...(bias === undefined ? [] : [none, none, bias])],
    query.dims,
    { num_heads: BigInt(heads), ...(causal && { unidirectional: 1n }), ...(scale !== undefined && { scale }) },
    'com.microsoft',
  );
}

/**
 * One head after the other, each as `attend` has it: for WebAssembly, which has no flash form, and where the fused operator
 * is not to be used. The scores are those of one head then, and not of all, which for 512 x 512 pixels are half a gigabyte
 * a picture.
 */
function headByHead(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  heads: number,
  attend: (head: readonly [Value, Value, Value], i: number) => Value,
): Value {
  if (heads === 1) return attend([query, key, value], 0);
  const width = staticDim(query, -1) / heads;
  const parts = Array.from({ length: heads }, (_, i) => {
    const columns = (x: Value) => {
      const range = [i * width, (i + 1) * width, 2].map((number) => g.indices([number]));
      return g.op('Slice', [x, ...range], [x.dims[0], x.dims[1], width]);
    };
    return attend([columns(query), columns(key), columns(value)], i);
  });
  return g.concat(parts, 2);
}

/** What one head's scores have added, [n or 1, 1, s, l]. */
function biasOfHead(g: Graph, bias: Value, i: number): Value {
  if (bias.dims[1] === 1) return bias;
  const range = [i, i + 1, 1].map((number) => g.indices([number]));
  return g.op('Slice', [bias, ...range], bias.dims.with(1, 1));
}

/** Added to the scores of places that must not be seen; half precision has it too. */
const hidden = -6e4;

/** One head, from operators that every provider gets right. */
function plainAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  { causal = false, bias, scale = 1 / Math.sqrt(staticDim(query, -1)) }: AttentionOptions = {},
): Value {
  const scaled = g.mul(query, g.constant([scale]));
  const dims = [query.dims[0], query.dims[1], key.dims[1]];
  let scores = g.op('MatMul', [scaled, g.transpose(key, [0, 2, 1])], dims);
  if (causal) {
    const square = g.expand(g.constant([hidden]), [staticDim(query, 1), staticDim(key, 1)]);
    scores = g.add(scores, g.op('Trilu', [square, g.indices([1])], square.dims));
  }
  if (bias !== undefined) scores = g.add(scores, g.reshape(bias, [bias.dims[0], ...bias.dims.slice(2)]));
  return g.op('MatMul', [g.op('Softmax', [scores], dims, { axis: -1n }), value], [...dims.slice(0, 2), value.dims[2]]);
}
