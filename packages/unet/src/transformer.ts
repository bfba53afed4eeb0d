import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import type { BlockHooks } from './extension.js';

/** Epsilon of the group norm before a transformer: hard-coded in diffusers too. */
const epsilon = 1e-6;

export interface TransformerOptions {
  readonly heads: number;
  readonly depth: number;
  readonly groups: number;
  /** The keys and values of cross-attention are made from it: [n, tokens, width]. */
  readonly context: Value;
  readonly hooks: BlockHooks;
  /** Computes attention in float32 even in a half-precision graph. */
  readonly upcast?: boolean;
}

/** Self- and cross-attention over a feature map, [n, c, h, w] to the same shape; diffusers' `Transformer2DModel`. */
export function transformer(
  g: Graph,
  w: Scope,
  x: Value,
  { heads, depth, groups, context, hooks, upcast }: TransformerOptions,
): Value {
  const channels = staticDim(x, 1);
  const normalized = g.groupNorm(x, w.at('norm'), { groups, epsilon });
  let h = g.linear(g.toTokens(normalized), w.at('proj_in'), channels);
  for (let i = 0; i < depth; i++) {
    h = transformerBlock(g, w.at('transformer_blocks', i), h, { heads, context, hooks, upcast, featureMap: x });
  }
  return g.add(g.fromTokens(g.linear(h, w.at('proj_out'), channels), x), x);
}

export interface TransformerBlockOptions extends Pick<TransformerOptions, 'heads' | 'hooks' | 'upcast'> {
  /** The context of the second attention; without it, that too is self-attention. */
  readonly context?: Value;
  /** Positional embedding, added to the input of each attention. */
  readonly positions?: Value;
  /** The feature map [n, c, h, w] whose positions the tokens are, row by row. */
  readonly featureMap?: Value;
}

/** Self-attention, cross-attention and a gated feed-forward layer; diffusers' `BasicTransformerBlock`. */
export function transformerBlock(g: Graph, w: Scope, x: Value, options: TransformerBlockOptions): Value {
  const { positions } = options;
  const normalize = (h: Value, norm: Scope) => {
    const normalized = g.layerNorm(h, norm);
    return positions === undefined ? normalized : g.add(normalized, positions);
  };
  const tokens = normalize(x, w.at('norm1'));
  let h = g.add(x, attention(g, w.at('attn1'), tokens, { ...options, context: tokens }));
  const query = normalize(h, w.at('norm2'));
  h = g.add(h, attention(g, w.at('attn2'), query, { ...options, context: options.context ?? query }));
  return g.add(h, feedForward(g, w.at('ff.net'), g.layerNorm(h, w.at('norm3'))));
}

type AttentionOptions = TransformerBlockOptions & Pick<TransformerOptions, 'context'>;

function attention(g: Graph, w: Scope, x: Value, options: AttentionOptions): Value {
  const { heads, context, hooks, upcast, featureMap } = options;
  const width = staticDim(x, -1);
  const sources = hooks.sources(w.path, { key: context, value: context });
  const query = g.linear(x, w.at('to_q'), width);
  const key = g.linear(sources.key, w.at('to_k'), width);
  const value = g.linear(sources.value, w.at('to_v'), width);
  const output = g.attention(query, key, value, heads, { upcast });
  const call = { module: w.path, query, key, heads, output, featureMap };
  return g.linear(hooks.attention(call), w.at('to_out.0'), width);
}

/** GEGLU (arXiv 2002.05202): one half of the projection gates the other. */
function feedForward(g: Graph, w: Scope, x: Value): Value {
  const width = staticDim(x, -1);
  const [h, gate] = g.linearParts(x, w.at('0.proj'), [4 * width, 4 * width]);
  return g.linear(g.mul(h, g.gelu(gate)), w.at(2), width);
}
