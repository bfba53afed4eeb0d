import { clipLayer, Graph, type GraphModel, type GraphOptions, Scope, type TensorLookup, type Value } from '@sd/graph';
import type { ClipVisionConfig } from './config.js';

/**
 * CLIP's vision transformer: `pixel_values` [n, channels, size, size] in; out, `image_embeds` [n, projection], and
 * `hidden_states` [n, 1 + patches, width] as the last layer but one leaves them.
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
  // The checkpoints spell it so.
  let x = g.layerNorm(embeddings(g, w.at('embeddings'), pixels, config), w.at('pre_layrnorm'), epsilon);
  for (let i = 0; i < config.layers; i++) {
    if (i === config.layers - 1) g.output('hidden_states', x);
    x = clipLayer(g, w.at('encoder.layers', i), x, { ...config, causal: false });
  }
  const whole = g.op('Gather', [x, g.indices([0])], ['batch', 1, width], { axis: 1n });
  const normal = g.layerNorm(g.reshape(whole, ['batch', width]), w.at('post_layernorm'), epsilon);
  g.output('image_embeds', g.linear(normal, w.at('visual_projection'), config.projectionWidth));
  return g.finish('image_encoder', { repeated: false });
}

/** A vector for the whole picture, then one for each patch, row by row. */
function embeddings(g: Graph, w: Scope, pixels: Value, { width, imageSize, patchSize }: ClipVisionConfig): Value {
  const whole = g.weight({ ...w.tensor('class_embedding', [width]), shape: [1, 1, width] });
  const cut = { kernel: patchSize, stride: patchSize, padding: 0 };
  const patches = g.toTokens(g.conv(pixels, w.at('patch_embedding'), width, cut));
  const count = 1 + Math.floor(imageSize / patchSize) ** 2;
  const positions = g.weight(w.tensor('position_embedding.weight', [count, width]));
  return g.add(g.concat([g.expand(whole, ['batch', 1, width]), patches], 1), positions);
}
