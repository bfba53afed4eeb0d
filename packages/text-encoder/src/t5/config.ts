import { UnsupportedError } from '@sd/core';
import type { Config } from '@sd/weights';

/** The shape of a T5 encoder, from its `config.json`. */
export interface T5Config {
  readonly vocabSize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** All heads together need not be as wide as the model. */
  readonly headWidth: number;
  readonly feedForwardWidth: number;
  /** Kinds of distance that attention tells apart, half of them to earlier tokens. */
  readonly distanceBuckets: number;
  /** All distances from this one on are of one kind. */
  readonly maxDistance: number;
  readonly epsilon: number;
}

/**
 * Reads the config of transformers' `T5EncoderModel`, with that class's defaults. Throws an UnsupportedError for a
 * feed-forward other than that of T5 1.1, `gated-gelu`.
 */
export function t5Config(config: Config): T5Config {
  const feedForward = config.string('feed_forward_proj', 'relu');
  if (feedForward !== 'gated-gelu') {
    throw new UnsupportedError(
      `${config.file}: feed_forward_proj is ${JSON.stringify(feedForward)}; this version supports "gated-gelu".`,
    );
  }
  return {
    vocabSize: config.number('vocab_size', 32128),
    width: config.number('d_model', 512),
    layers: config.number('num_layers', 6),
    heads: config.number('num_heads', 8),
    headWidth: config.number('d_kv', 64),
    feedForwardWidth: config.number('d_ff', 2048),
    distanceBuckets: config.number('relative_attention_num_buckets', 32),
    maxDistance: config.number('relative_attention_max_distance', 128),
    epsilon: config.number('layer_norm_epsilon', 1e-6),
  };
}
