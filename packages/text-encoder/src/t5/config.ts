import { show, UnsupportedError } from '@sd/core';
import type { Config } from '@sd/weights';

/** The architecture of a T5 encoder, from its `config.json`. */
export interface T5Config {
  readonly vocabSize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of a head; all heads together may be wider or narrower than `width`. */
  readonly headWidth: number;
  readonly feedForwardWidth: number;
  /** Number of buckets for relative distances, half of them for earlier tokens. */
  readonly distanceBuckets: number;
  /** All distances from this one on share a bucket. */
  readonly maxDistance: number;
  readonly epsilon: number;
}

/**
 * Reads the config of transformers' `T5EncoderModel`, with that class's defaults. Throws an UnsupportedError for a
 * feed-forward other than T5 1.1's `gated-gelu`.
 */
export function t5Config(config: Config): T5Config {
  const feedForward = config.string('feed_forward_proj', 'relu');
  if (feedForward !== 'gated-gelu') {
    throw new UnsupportedError(
      `${config.file}: feed_forward_proj is ${show(feedForward)}; this version supports "gated-gelu".`,
    );
  }
  return {
    vocabSize: config.count('vocab_size', 32128),
    width: config.count('d_model', 512),
    layers: config.count('num_layers', 6, { most: 1000 }),
    heads: config.count('num_heads', 8),
    headWidth: config.count('d_kv', 64),
    feedForwardWidth: config.count('d_ff', 2048),
    distanceBuckets: config.count('relative_attention_num_buckets', 32, { least: 4, most: 2 ** 12 }),
    maxDistance: config.count('relative_attention_max_distance', 128, { most: 2 ** 16 }),
    epsilon: config.number('layer_norm_epsilon', 1e-6, { least: 0, most: 1 }),
  };
}
