import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';

/** Epsilon of the group norm before a transformer, which no config tells. */
const epsilon = 1e-6;

export interface TransformerOptions {
  readonly heads: number;
  readonly depth: number;
  readonly groups: number;
  /** What the picture attends to: [n, tokens, width]. */
  readonly context: Value;
}

/** Attention among the places of a feature map and to the text, [n, c, h, w] to the same; diffusers' `Transformer2DModel`. */
export function transformer(
  g: Graph,
  w: Scope,
  x: Value,
  { heads, depth, groups, context }: TransformerOptions,
): Value {
  const channels = staticDim(x, 1);
  const normal = g.groupNorm(x, w.at('norm'), { groups, epsilon });
  let h = g.linear(g.toTokens(normal), w.at('proj_in'), channels);
  for (let i = 0; i < depth; i++) h = transformerBlock(g, w.at('transformer_blocks', i), h, heads, context);
  return g.add(g.fromTokens(g.linear(h, w.at('proj_out'), channels), x), x);
}

/** Self-attention, cross-attention and a gated feed-forward; diffusers' `BasicTransformerBlock`. */
function transformerBlock(g: Graph, w: Scope, x: Value, heads: number, context: Value): Value {
  const itself = g.layerNorm(x, w.at('norm1'));
  let h = g.add(x, attention(g, w.at('attn1'), itself, itself, heads));
  h = g.add(h, attention(g, w.at('attn2'), g.layerNorm(h, w.at('norm2')), context, heads));
  return g.add(h, feedForward(g, w.at('ff.net'), g.layerNorm(h, w.at('norm3'))));
}

function attention(g: Graph, w: Scope, x: Value, context: Value, heads: number): Value {
  const width = staticDim(x, -1);
  const query = g.linear(x, w.at('to_q'), width);
  const key = g.linear(context, w.at('to_k'), width);
  const value = g.linear(context, w.at('to_v'), width);
  return g.linear(g.attention(query, key, value, heads), w.at('to_out.0'), width);
}

/** GEGLU, arXiv 2002.05202: one half of the projection gates the other. */
function feedForward(g: Graph, w: Scope, x: Value): Value {
  const width = staticDim(x, -1);
  const [h, gate] = g.linearParts(x, w.at('0.proj'), [4 * width, 4 * width]);
  return g.linear(g.mul(h, g.gelu(gate)), w.at(2), width);
}
