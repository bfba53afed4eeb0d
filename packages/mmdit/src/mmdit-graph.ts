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
import type { MmditConfig } from './config.js';
import { jointBlock } from './joint-block.js';
import { epsilon, modulated, scaleAndShift } from './modulation.js';
import { croppedPositions, fromPatches } from './patches.js';

export interface MmditGraphOptions extends GraphOptions {
  readonly extensions?: readonly LayerExtension[];
}

/**
 * The multimodal diffusion transformer: `hidden_states` [n, in, h, w], `timestep` [1 or n], `encoder_hidden_states`
 * [n, tokens, contextWidth] and `pooled_projections` [n, pooledWidth] in, `out_sample` [n, out, h, w] out. Height and width
 * can be any multiples of the patch size, up to `positionSize` patches.
 * @see arXiv 2403.03206; tensor names as in diffusers' `SD3Transformer2DModel`
 */
export function mmditGraph(
  checkpoint: TensorLookup,
  config: MmditConfig,
  { extensions = [], ...options }: MmditGraphOptions = {},
): GraphModel {
  const { inChannels, outChannels, patchSize, width, heads, layers, dualAttentionLayers, normalizedHeads } = config;
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const sample = g.input('hidden_states', ['batch', inChannels, 'height', 'width']);
  const timestep = g.input('timestep', ['timesteps']);
  const text = g.input('encoder_hidden_states', ['batch', 'tokens', config.contextWidth]);
  const pooled = g.input('pooled_projections', ['batch', config.pooledWidth]);
  extendLayers(g, extensions);
  const conditioning = g.silu(timeAndTextEmbedding(g, w.at('time_text_embed'), timestep, pooled, width));

  const patches = g.conv(sample, w.at('pos_embed.proj'), width, { kernel: patchSize, stride: patchSize, padding: 0 });
  let image = g.add(g.toTokens(patches), croppedPositions(g, w.at('pos_embed'), patches, config.positionSize));
  let context: Value | undefined = g.linear(text, w.at('context_embedder'), width);
  for (let i = 0; i < layers && context !== undefined; i++) {
    ({ image, context } = jointBlock(
      g,
      w.at('transformer_blocks', i),
      { image, context },
      { conditioning, heads, normalizedHeads, dual: dualAttentionLayers.includes(i), last: i === layers - 1 },
    ));
  }

  const { scale, shift } = scaleAndShift(g, w.at('norm_out.linear'), conditioning, width);
  image = modulated(g, g.standardized(image, epsilon), { scale, shift });
  image = g.linear(image, w.at('proj_out'), patchSize ** 2 * outChannels);
  g.output('out_sample', fromPatches(g, image, { patches, patchSize, like: sample }));
  return g.finish('mmdit', { repeated: true });
}

/** Width of the timestep's sinusoidal embedding, which no config specifies. */
const frequencyWidth = 256;

/** The embedding of the timestep [1 or n] and the pooled text [n, pooledWidth], added up: [n, width]. */
function timeAndTextEmbedding(g: Graph, w: Scope, timestep: Value, pooled: Value, width: number): Value {
  const sinusoids = g.timestepEmbedding(timestep, frequencyWidth, { cosineFirst: true, shift: 0 });
  const mlp = (scope: Scope, x: Value) =>
    g.linear(g.silu(g.linear(x, scope.at('linear_1'), width)), scope.at('linear_2'), width);
  return g.add(mlp(w.at('text_embedder'), pooled), mlp(w.at('timestep_embedder'), sinusoids));
}
