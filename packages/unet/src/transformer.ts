import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import type { UnetHooks } from './extension.js';

/** Epsilon of the group norm before a transformer, which no config tells. */
const epsilon = 1e-6;

export interface TransformerOptions {
  readonly heads: number;
  readonly depth: number;
  readonly groups: number;
  /** What the picture attends to: [n, tokens, width]. */
  readonly context: Value;
  readonly hooks: Required<UnetHooks>;
}

/** Attention among the places of a feature map and to the text, [n, c, h, w] to the same; diffusers' `Transformer2DModel`. */
export function transformer(
  g: Graph,
  w: Scope,
  x: Value,
  { heads, depth, groups, context, hooks }: TransformerOptions,
): Value {
  const channels = staticDim(x, 1);
  const normal = g.groupNorm(x, w.at('norm'), { groups, epsilon });
  let h = g.linear(g.toTokens(normal), w.at('proj_in'), channels);
  for (let i = 0; i < depth; i++) {
    h = transformerBlock(g, w.at('transformer_blocks', i), h, { heads, context, hooks });
  }
  return g.add(g.fromTokens(g.linear(h, w.at('proj_out'), channels), x), x);
}

type BlockOptions = Pick<TransformerOptions, 'heads' | 'context' | 'hooks'>;

/** Self-attention, cross-attention and a gated feed-forward; diffusers' `BasicTransformerBlock`. */
function transformerBlock(g: Graph, w: Scope, x: Value, options: BlockOptions): Value {
  const itself = g.layerNorm(x, w.at('norm1'));
  let h = g.add(x, attention(g, w.at('attn1'), itself, { ...options, context: itself }));
  h = g.add(h, attention(g, w.at('attn2'), g.layerNorm(h, w.at('norm2')), options));
  return g.add(h, feedForward(g, w.at('ff.net'), g.layerNorm(h, w.at('norm3'))));
}

function attention(g: Graph, w: Scope, x: Value, { heads, context, hooks }: BlockOptions): Value {
  const width = staticDim(x, -1);
  const sources = hooks.sources(w.path, { key: context, value: context });
  const query = g.linear(x, w.at('to_q'), width);
  const key = g.linear(sources.key, w.at('to_k'), width);
  const value = g.linear(sources.value, w.at('to_v'), width);
  const output = g.attention(query, key, value, heads);
  return g.linear(hooks.attention({ module: w.path, query, heads, output }), w.at('to_out.0'), width);
}

/** GEGLU, arXiv 2002.05202: one half of the projection gates the other. */
function feedForward(g: Graph, w: Scope, x: Value): Value {
  const width = staticDim(x, -1);
  const [h, gate] = g.linearParts(x, w.at('0.proj'), [4 * width, 4 * width]);
  return g.linear(g.mul(h, g.gelu(gate)), w.at(2), width);
}
