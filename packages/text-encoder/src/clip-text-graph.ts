import type { Model } from '@sd/core';
import { Graph, Scope, type TensorLookup, type Value } from '@sd/graph';
import type { ClipTextConfig } from './config.js';

/**
 * CLIP's text transformer: `input_ids` [n, tokens] in; out, for each count k of layers from 0 to all of them,
 * `hidden_states.k` as the layers leave it and `normalized.k` after the final layer norm, each [n, tokens, width].
 * @see arXiv 2103.00020; tensor names as in transformers' `CLIPTextModel`, without the prefix `text_model.`
 */
export function clipTextGraph(checkpoint: TensorLookup, config: ClipTextConfig): Model {
  const g = new Graph();
  const w = new Scope(checkpoint);
  const ids = g.input('input_ids', ['batch', config.maxLength], 'int64');
  const positions = w.tensor('embeddings.position_embedding.weight', [config.maxLength, config.width]);
  const table = w.tensor('embeddings.token_embedding.weight', [config.vocabSize, config.width]);
  let x = g.add(g.embedding(ids, table), g.weight(positions));
  const give = (layers: number, hidden: Value) => {
    g.output(`hidden_states.${layers}`, hidden);
    g.output(`normalized.${layers}`, g.layerNorm(hidden, w.at('final_layer_norm'), config.epsilon));
  };
  give(0, x);
  for (let i = 0; i < config.layers; i++) {
    x = encoderLayer(g, w.at('encoder.layers', i), x, config);
    give(i + 1, x);
  }
  return g.finish('text_encoder', { repeated: false });
}

function encoderLayer(g: Graph, w: Scope, x: Value, config: ClipTextConfig): Value {
  const attended = g.add(
    x,
    selfAttention(g, w.at('self_attn'), g.layerNorm(x, w.at('layer_norm1'), config.epsilon), config),
  );
  const h = g.linear(
    g.layerNorm(attended, w.at('layer_norm2'), config.epsilon),
    w.at('mlp.fc1'),
    config.feedForwardWidth,
  );
  const active = config.activation === 'gelu' ? g.gelu(h) : g.quickGelu(h);
  return g.add(attended, g.linear(active, w.at('mlp.fc2'), config.width));
}

function selfAttention(g: Graph, w: Scope, x: Value, { width, heads }: ClipTextConfig): Value {
  const [query, key, value] = ['q_proj', 'k_proj', 'v_proj'].map((name) => g.linear(x, w.at(name), width));
  return g.linear(g.attention(query, key, value, heads, { causal: true }), w.at('out_proj'), width);
}
