import {
  clipLayer,
  Graph,
  type GraphModel,
  type GraphOptions,
  type LayerExtension,
  Scope,
  type TensorLookup,
  type Value,
} from '@sd/graph';
import type { ClipTextConfig } from './config.js';

export interface ClipTextGraphOptions extends GraphOptions {
  readonly extensions?: readonly LayerExtension[];
}

/**
 * CLIP's text transformer: `input_ids` [n, tokens] in; out, for each count k of layers from 0 to all of them,
 * `hidden_states.k` as the layers leave it and `normalized.k` after the final layer norm, each [n, tokens, width].
 * @see arXiv 2103.00020; tensor names as in transformers' `CLIPTextModel`, without the prefix `text_model.`
 */
export function clipTextGraph(
  checkpoint: TensorLookup,
  config: ClipTextConfig,
  { provider, extensions = [] }: ClipTextGraphOptions = {},
): GraphModel {
  const g = new Graph({ provider });
  const w = new Scope(checkpoint);
  const ids = g.input('input_ids', ['batch', config.maxLength], 'int64');
  for (const extension of extensions) {
    const { layer } = extension.extend(g);
    if (layer !== undefined) g.adapt(layer);
  }
  const positions = w.tensor('embeddings.position_embedding.weight', [config.maxLength, config.width]);
  const table = w.tensor('embeddings.token_embedding.weight', [config.vocabSize, config.width]);
  let x = g.add(g.embedding(ids, table), g.weight(positions));
  const give = (layers: number, hidden: Value) => {
    g.output(`hidden_states.${layers}`, hidden);
    g.output(`normalized.${layers}`, g.layerNorm(hidden, w.at('final_layer_norm'), config.epsilon));
  };
  give(0, x);
  for (let i = 0; i < config.layers; i++) {
    x = clipLayer(g, w.at('encoder.layers', i), x, { ...config, causal: true });
    give(i + 1, x);
  }
  return g.finish('text_encoder', { repeated: false });
}
