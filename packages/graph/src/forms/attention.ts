import type { GraphOptions, Nodes } from '../nodes.js';
import { staticDim, type Value } from '../value.js';
import { add, concat, expand, mul, transpose } from './basic.js';

interface MaskOptions {
  /** True if each position attends only to itself and the positions before it. */
  readonly causal?: boolean;
  /** Added to the scores: [n or 1, heads or 1, s, l]. */
  readonly bias?: Value | undefined;
  /** What the scores are multiplied with: one over the root of a head's width by default. */
  readonly scale?: number;
}

export interface AttentionOptions extends MaskOptions {
  /** Computes in float32 even in a half-precision graph, for scores that overflow float16. */
  readonly upcast?: boolean;
}

/**
 * Bytes of attention scores that are in memory at once, for n feature maps of `tokens` positions: those of one head, where
 * the provider has no flash form.
 */
export function scoreBytes({ provider = 'cpu', features }: GraphOptions, n: number, tokens: number): number {
  if (features?.fusedAttention === false) return 2 * 4 * n * tokens ** 2;
  return provider === 'wasm' ? 4 * n * tokens ** 2 : 0;
}

type QueryKeyValue = readonly [query: Value, key: Value, value: Value];

/** See `Graph.attention`. Written in the form that the provider runs best. */
export function attention(
  n: Nodes,
  [query, key, value]: QueryKeyValue,
  heads: number,
  { upcast = false, ...mask }: AttentionOptions,
): Value {
  const type = upcast ? 'float32' : n.float;
  const inputs = [n.cast(query, type), n.cast(key, type), n.cast(value, type)] as const;
  return n.cast(attentionForm(n, inputs, heads, mask));
}

function attentionForm(n: Nodes, inputs: QueryKeyValue, heads: number, mask: MaskOptions): Value {
  const { bias } = mask;
  if (!n.fusedAttention) {
    return headByHead(n, inputs, heads, (head, i) =>
      plainAttention(n, head, { ...mask, bias: bias && biasOfHead(n, bias, i) }),
    );
  }
  // As many queries as keys is the self-attention of a feature map, whose scores are large.
  const large = inputs[1].dims[1] === inputs[0].dims[1] && heads > 1;
  const unmasked = mask.causal !== true && bias === undefined;
  return n.provider === 'wasm' && large && unmasked
    ? headByHead(n, inputs, heads, (head) => fusedAttention(n, head, 1, mask))
    : fusedAttention(n, inputs, heads, mask);
}

/** The fused operator. On the CPU and on WebGPU it has a flash form, which never holds all scores in memory. */
function fusedAttention(
  n: Nodes,
  [query, key, value]: QueryKeyValue,
  heads: number,
  { causal = false, bias, scale }: MaskOptions = {},
): Value {
  const none = { name: '', dims: [] };
  return n.op(
    'MultiHeadAttention',
    [query, key, value, ...(bias === undefined ? [] : [none, none, bias])],
    query.dims,
    { num_heads: BigInt(heads), ...(causal && { unidirectional: 1n }), ...(scale !== undefined && { scale }) },
    'com.microsoft',
  );
}

/**
 * Applies `attend` to one head at a time: for WebAssembly, which has no flash form, and where the fused operator is not to
 * be used. Only one head's scores are then in memory; those of all heads take half a gigabyte per image at 512 x 512.
 */
function headByHead(
  n: Nodes,
  [query, key, value]: QueryKeyValue,
  heads: number,
  attend: (head: QueryKeyValue, i: number) => Value,
): Value {
  if (heads === 1) return attend([query, key, value], 0);
  const width = staticDim(query, -1) / heads;
  const outputs = Array.from({ length: heads }, (_, i) => {
    const columns = (x: Value) => {
      const range = [i * width, (i + 1) * width, 2].map((number) => n.shapes.indices([number]));
      return n.op('Slice', [x, ...range], [x.dims[0], x.dims[1], width]);
    };
    return attend([columns(query), columns(key), columns(value)], i);
  });
  return concat(n, outputs, 2);
}

/** One head's part of a bias, [n or 1, 1, s, l]. */
function biasOfHead(n: Nodes, bias: Value, i: number): Value {
  if (bias.dims[1] === 1) return bias;
  const range = [i, i + 1, 1].map((number) => n.shapes.indices([number]));
  return n.op('Slice', [bias, ...range], bias.dims.with(1, 1));
}

/** Added to the scores of masked positions; representable in half precision. */
const masked = -6e4;

/** One head, from operators that every provider computes correctly. */
function plainAttention(
  n: Nodes,
  [query, key, value]: QueryKeyValue,
  { causal = false, bias, scale = 1 / Math.sqrt(staticDim(query, -1)) }: MaskOptions = {},
): Value {
  const scaled = mul(n, query, n.constant([scale]));
  const dims = [query.dims[0], query.dims[1], key.dims[1]];
  let scores = n.op('MatMul', [scaled, transpose(n, key, [0, 2, 1])], dims);
  if (causal) {
    const square = expand(n, n.constant([masked]), [staticDim(query, 1), staticDim(key, 1)]);
    scores = add(n, scores, n.op('Trilu', [square, n.shapes.indices([1])], square.dims));
  }
  if (bias !== undefined) scores = add(n, scores, n.shapes.reshape(bias, [bias.dims[0], ...bias.dims.slice(2)]));
  return n.op('MatMul', [n.op('Softmax', [scores], dims, { axis: -1n }), value], [...dims.slice(0, 2), value.dims[2]]);
}
