import { type Graph, resnetBlock, type Scope, staticDim, type Value } from '@sd/graph';
import type { VaeConfig } from './config.js';

/** Epsilon of the autoencoder's group norms: hard-coded in diffusers too. */
const epsilon = 1e-6;

export function vaeResnet(g: Graph, w: Scope, x: Value, out: number, { groups }: VaeConfig): Value {
  return resnetBlock(g, w, x, { out, groups, epsilon });
}

/** The mid block of encoder and decoder: two residual blocks with self-attention between them. */
export function midBlock(g: Graph, w: Scope, x: Value, config: VaeConfig): Value {
  const channels = staticDim(x, 1);
  let h = vaeResnet(g, w.at('resnets.0'), x, channels, config);
  if (config.midAttention) h = attention(g, w.at('attentions.0'), h, config);
  return vaeResnet(g, w.at('resnets.1'), h, channels, config);
}

/** The last layers of encoder and decoder: norm, activation and convolution. */
export function head(g: Graph, w: Scope, x: Value, out: number, { groups }: VaeConfig): Value {
  return g.conv(g.silu(g.groupNorm(x, w.at('conv_norm_out'), { groups, epsilon })), w.at('conv_out'), out);
}

/** Self-attention with a single head as wide as the channels. */
function attention(g: Graph, w: Scope, x: Value, { groups }: VaeConfig): Value {
  const channels = staticDim(x, 1);
  const tokens = g.toTokens(g.groupNorm(x, w.at('group_norm'), { groups, epsilon }));
  const [query, key, value] = ['to_q', 'to_k', 'to_v'].map((name) => g.linear(tokens, w.at(name), channels));
  const attended = g.linear(g.attention(query, key, value, 1), w.at('to_out.0'), channels);
  return g.add(g.fromTokens(attended, x), x);
}
