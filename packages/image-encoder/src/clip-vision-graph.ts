import { clipLayer, Graph, type GraphModel, type GraphOptions, Scope, type TensorLookup, type Value } from '@sd/graph';
import type { ClipVisionConfig } from './config.js';

/**
 * Writes the graph of CLIP's vision transformer. Input: `pixel_values` [n, channels, size, size]. Outputs: `image_embeds`
 * [n, projection], and `hidden_states` [n, 1 + patches, width] of the penultimate layer.
 * @see arXiv 2103.00020; tensor names as in transformers' `CLIPVisionModelWithProjection`, without the prefix `vision_model.`
 */
export function clipVisionGraph(
  checkpoint: TensorLookup,
  config: ClipVisionConfig,
  options: GraphOptions = {},
): GraphModel {
  const { width, imageSize, epsilon } = config;
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const pixels = g.input('pixel_values', ['batch', config.channels, imageSize, imageSize]);
  // Sic: the checkpoints misspell it.
  let x = g.layerNorm(embeddings(g, w.at('embeddings'), pixels, config), w.at('pre_layrnorm'), epsilon);
  for (let i = 0; i < config.layers; i++) {
    if (i === config.layers - 1) g.output('hidden_states', x);
    x = clipLayer(g, w.at('encoder.layers', i), x, { ...config, causal: false });
  }
  const classToken = g.op('Gather', [x, g.indices([0])], ['batch', 1, width], { axis: 1n });
  const normalized = g.layerNorm(g.reshape(classToken, ['batch', width]), w.at('post_layernorm'), epsilon);
  g.output('image_embeds', g.linear(normalized, w.at('visual_projection'), config.projectionWidth));
  return g.finish('image_encoder', { repeated: false });
}

/** The class embedding, then one vector per patch, row by row. */
function embeddings(g: Graph, w: Scope, pixels: Value, { width, imageSize, patchSize }: ClipVisionConfig): Value {
  const classEmbedding = g.weight({ ...w.tensor('class_embedding', [width]), shape: [1, 1, width] });
  const patchOptions = { kernel: patchSize, stride: patchSize, padding: 0 };
  const patches = g.toTokens(g.conv(pixels, w.at('patch_embedding'), width, patchOptions));
  const count = 1 + Math.floor(imageSize / patchSize) ** 2;
  const positions = g.weight(w.tensor('position_embedding.weight', [count, width]));
  return g.add(g.concat([g.expand(classEmbedding, ['batch', 1, width]), patches], 1), positions);
}
