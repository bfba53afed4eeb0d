import type { Config } from '@sd/weights';

/** The shape of a CLIP text model, from its `config.json`. */
export interface ClipTextConfig {
  readonly vocabSize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly feedForwardWidth: number;
  readonly maxLength: number;
  readonly activation: 'quick_gelu' | 'gelu';
  readonly epsilon: number;
  /** The end token, where the pooled embedding is taken. */
  readonly endId: number;
  /** Width of the embedding in the space shared by texts and images; undefined for a model without a projection. */
  readonly projectionWidth: number | undefined;
}

/** Reads the config of transformers' `CLIPTextModel` or `CLIPTextModelWithProjection`, with those classes' defaults. */
export function clipTextConfig(config: Config): ClipTextConfig {
  const projects = config.strings('architectures', ['CLIPTextModel']).includes('CLIPTextModelWithProjection');
  config.only('hidden_act', 'quick_gelu', 'gelu');
  const width = config.count('hidden_size', 512);
  const heads = config.count('num_attention_heads', 8);
  config.expectDivides('num_attention_heads', heads, width);
  return {
    vocabSize: config.count('vocab_size', 49408),
    width,
    layers: config.count('num_hidden_layers', 12, { most: 1000 }),
    heads,
    feedForwardWidth: config.count('intermediate_size', 2048),
    maxLength: config.count('max_position_embeddings', 77, { most: 2 ** 16 }),
    activation: config.string('hidden_act', 'quick_gelu') as ClipTextConfig['activation'],
    epsilon: config.number('layer_norm_eps', 1e-5, { least: 0, most: 1 }),
    endId: config.count('eos_token_id', 49407, { least: 0 }),
    projectionWidth: projects ? config.count('projection_dim', 512) : undefined,
  };
}
