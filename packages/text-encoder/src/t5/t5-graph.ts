import {
  extendLayers,
  Graph,
  type GraphModel,
  type GraphOptions,
  type LayerExtension,
  Scope,
  type TensorLookup,
  type Value,
} from '@sd/graph';
import type { TensorView } from '@sd/weights';
import type { T5Config } from './config.js';
import { distanceBucketTable } from './distance-buckets.js';

export interface T5GraphOptions extends GraphOptions {
  readonly extensions?: readonly LayerExtension[];
}

/**
 * T5's encoder: `input_ids` [n, tokens] in, `hidden_states` [n, tokens, width] out, after the final norm. Every token
 * attends to all, including padding, as in Stable Diffusion 3. The hidden states between layers exceed the range of
 * float16, and are float32 even in a half-precision graph.
 * @see arXiv 1910.10683, 2002.05202; tensor names as in transformers' `T5EncoderModel`
 */
export function t5Graph(
  checkpoint: TensorLookup,
  config: T5Config,
  { extensions = [], ...options }: T5GraphOptions = {},
): GraphModel {
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const ids = g.input('input_ids', ['batch', 'tokens'], 'int64');
  extendLayers(g, extensions);
  const encoder = w.at('encoder');
  const bias = distanceBias(g, encoder.at('block.0.layer.0.SelfAttention.relative_attention_bias'), ids, config);
  let x = g.toFloat32(g.embedding(ids, tokenTable(w, config)));
  for (let i = 0; i < config.layers; i++) {
    const block = encoder.at('block', i);
    x = selfAttention(g, block.at('layer.0'), x, bias, config);
    x = feedForward(g, block.at('layer.1'), x, config);
  }
  g.output('hidden_states', g.rmsNorm(x, encoder.at('final_layer_norm'), config.epsilon));
  return g.finish('t5_encoder', { repeated: false });
}

/** Token embeddings. Some files have the table twice, since the decoder shares it. */
function tokenTable(w: Scope, { vocabSize, width }: T5Config): TensorView {
  const present = ['encoder.embed_tokens', 'shared'].filter((name) => w.has(name));
  const [table = w.tensor('shared.weight', [vocabSize, width])] = present.map((name) =>
    w.tensor(`${name}.weight`, [vocabSize, width]),
  );
  return table;
}

/** The bias of each head's scores by the distance from query to key, shared by all layers: [1, heads, tokens, tokens]. */
function distanceBias(g: Graph, w: Scope, ids: Value, config: T5Config): Value {
  const { heads, distanceBuckets, maxDistance } = config;
  const tokens = ids.dims[1];
  const positions = g.places(ids, 1);
  const perQuery = g.op('Unsqueeze', [positions, g.indices([1])], [tokens, 1]);
  const distances = g.op('Sub', [positions, perQuery], [tokens, tokens]);
  const [least, most] = [-maxDistance, maxDistance].map((distance) => g.indices([distance]));
  const bounded = g.op('Max', [g.op('Min', [distances, most], distances.dims), least], distances.dims);
  const index = g.op('Add', [bounded, most], distances.dims);
  const buckets = g.op('Gather', [g.indices(distanceBucketTable(config)), index], distances.dims);
  const perPair = g.embedding(buckets, w.tensor('weight', [distanceBuckets, heads]));
  const perHead = g.transpose(perPair, [2, 0, 1]);
  return g.op('Unsqueeze', [perHead, g.indices([0])], [1, ...perHead.dims]);
}

/** Attention with unscaled scores; transformers' `T5LayerSelfAttention`. */
function selfAttention(g: Graph, w: Scope, x: Value, bias: Value, config: T5Config): Value {
  const { heads, headWidth, width, epsilon } = config;
  const normal = g.rmsNorm(x, w.at('layer_norm'), epsilon);
  const at = w.at('SelfAttention');
  const [query, key, value] = ['q', 'k', 'v'].map((name) => g.linear(normal, at.at(name), heads * headWidth));
  const attended = g.attention(query, key, value, heads, { scale: 1, bias });
  return g.add(x, g.toFloat32(g.linear(attended, at.at('o'), width)));
}

/**
 * Scales the input of a feed-forward's last layer, so that its sums stay in the range of float16; transformers computes
 * that layer in float32. A power of two changes no digits.
 */
const downscale = 2 ** -6;

/** A gated feed-forward; transformers' `T5DenseGatedActDense`. */
function feedForward(g: Graph, w: Scope, x: Value, { feedForwardWidth, width, epsilon }: T5Config): Value {
  const normal = g.rmsNorm(x, w.at('layer_norm'), epsilon);
  const at = w.at('DenseReluDense');
  const gate = g.geluTanh(g.linear(normal, at.at('wi_0'), feedForwardWidth));
  const h = g.mul(gate, g.linear(normal, at.at('wi_1'), feedForwardWidth));
  const sum = g.linear(g.mul(h, g.constant([downscale])), at.at('wo'), width);
  return g.add(x, g.mul(g.toFloat32(sum), g.constant([1 / downscale])));
}
