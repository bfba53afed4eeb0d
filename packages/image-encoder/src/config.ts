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
  return {
    width: config.number('hidden_size', 768),
    layers: config.number('num_hidden_layers', 12),
    heads: config.number('num_attention_heads', 12),
    feedForwardWidth: config.number('intermediate_size', 3072),
    projectionWidth: config.number('projection_dim', 512),
    channels: config.number('num_channels', 3),
    imageSize: config.number('image_size', 224),
    patchSize: config.number('patch_size', 32),
    activation: config.string('hidden_act', 'quick_gelu') as ClipVisionConfig['activation'],
    epsilon: config.number('layer_norm_eps', 1e-5),
  };
}
