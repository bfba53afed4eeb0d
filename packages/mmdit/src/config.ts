import { CheckpointError } from '@sd/core';
import type { Config } from '@sd/weights';

/** The architecture of a multimodal diffusion transformer, from its `config.json`. */
export interface MmditConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Height and width of the latents in training. */
  readonly sampleSize: number;
  /** Side of an image token's patch, in latents. */
  readonly patchSize: number;
  /** Width of all tokens inside the transformer: all heads together. */
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Width of the text's tokens. */
  readonly contextWidth: number;
  /** Width of the text's pooled embedding. */
  readonly pooledWidth: number;
  /** Side of the square of position embeddings, in patches. */
  readonly positionSize: number;
  /** Indices of the blocks with a second attention, of the image to itself. */
  readonly dualAttentionLayers: readonly number[];
  /** True if queries and keys are divided by their root mean square, head by head. */
  readonly normalizedHeads: boolean;
}

/**
 * Reads the config of diffusers' `SD3Transformer2DModel`, with that class's defaults. Throws an UnsupportedError for a norm
 * that is not supported, and a CheckpointError for contradictory widths; both name the key and value.
 */
export function mmditConfig(config: Config): MmditConfig {
  config.only('qk_norm', 'rms_norm');
  const heads = config.count('num_attention_heads', 18);
  const width = heads * config.count('attention_head_dim', 64);
  const captionWidth = config.count('caption_projection_dim', 1152);
  if (captionWidth !== width) {
    throw new CheckpointError(
      'bad-config',
      config.file,
      `caption_projection_dim is ${captionWidth}, but num_attention_heads times attention_head_dim is ${width}: text and image must have the same width.`,
    );
  }
  const inChannels = config.count('in_channels', 16);
  return {
    inChannels,
    // In diffusers, null means as many channels as in_channels.
    outChannels: config.entries().some(([key, value]) => key === 'out_channels' && value === null)
      ? inChannels
      : config.count('out_channels', 16),
    sampleSize: config.count('sample_size', 128, { most: 2 ** 14 }),
    patchSize: config.count('patch_size', 2),
    width,
    heads,
    layers: config.count('num_layers', 18, { most: 1000 }),
    contextWidth: config.count('joint_attention_dim', 4096),
    pooledWidth: config.count('pooled_projection_dim', 2048),
    positionSize: config.count('pos_embed_max_size', 96, { most: 2 ** 14 }),
    dualAttentionLayers: layerNumbers(config, 'dual_attention_layers'),
    normalizedHeads: config.get('qk_norm') !== undefined,
  };
}

/** A list of layer indices, which may be empty. */
function layerNumbers(config: Config, key: string): readonly number[] {
  const value = config.get(key) ?? [];
  return Array.isArray(value) && value.length === 0 ? [] : config.counts(key, undefined, { least: 0, most: 1000 });
}
