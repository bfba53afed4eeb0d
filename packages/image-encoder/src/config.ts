import type { Config } from '@sd/weights';

/** The shape of a CLIP vision model, from its `config.json`. */
export interface ClipVisionConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly feedForwardWidth: number;
  /** Width of an image's embedding. */
  readonly projectionWidth: number;
  readonly channels: number;
  /** Side length of the input image and of its patches, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly activation: 'quick_gelu' | 'gelu';
  readonly epsilon: number;
}

/** Reads the config of transformers' `CLIPVisionModelWithProjection`, with that class's defaults. */
export function clipVisionConfig(config: Config): ClipVisionConfig {
  config.only('model_type', 'clip_vision_model');
  config.only('hidden_act', 'quick_gelu', 'gelu');
  const width = config.count('hidden_size', 768);
  const heads = config.count('num_attention_heads', 12);
  config.expectDivides('num_attention_heads', heads, width);
  return {
    width,
    layers: config.count('num_hidden_layers', 12, { most: 1000 }),
    heads,
    feedForwardWidth: config.count('intermediate_size', 3072),
    projectionWidth: config.count('projection_dim', 512),
    channels: config.count('num_channels', 3),
    imageSize: config.count('image_size', 224, { most: 2 ** 14 }),
    patchSize: config.count('patch_size', 32, { most: 2 ** 14 }),
    activation: config.string('hidden_act', 'quick_gelu') as ClipVisionConfig['activation'],
    epsilon: config.number('layer_norm_eps', 1e-5, { least: 0, most: 1 }),
  };
}
