import type { Graph } from '../graph.js';
import type { Scope } from '../scope.js';
import type { Value } from '../value.js';

export interface ClipLayerOptions {
  readonly width: number;
  readonly heads: number;
  readonly feedForwardWidth: number;
  readonly activation: 'quick_gelu' | 'gelu';
  readonly epsilon: number;
  /** True if a token attends only to itself and the tokens before it. */
  readonly causal: boolean;
  /** Added to the scores of every attention: [n or 1, 1, tokens, tokens]. */
  readonly bias?: Value;
}

/** A layer of CLIP's transformers, x [n, tokens, width] to the same shape; transformers' `CLIPEncoderLayer`. */
export function clipLayer(g: Graph, w: Scope, x: Value, options: ClipLayerOptions): Value {
  const { width, feedForwardWidth, activation, epsilon } = options;
  const attended = g.add(x, selfAttention(g, w.at('self_attn'), g.layerNorm(x, w.at('layer_norm1'), epsilon), options));
  const h = g.linear(g.layerNorm(attended, w.at('layer_norm2'), epsilon), w.at('mlp.fc1'), feedForwardWidth);
  const active = activation === 'gelu' ? g.gelu(h) : g.quickGelu(h);
  return g.add(attended, g.linear(active, w.at('mlp.fc2'), width));
}

function selfAttention(g: Graph, w: Scope, x: Value, options: ClipLayerOptions): Value {
  const { width, heads, causal, bias } = options;
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) => g.linear(x, w.at(name), width));
  return g.linear(g.attention(query, key, value, heads, { causal, bias }), w.at('out_proj'), width);
}
