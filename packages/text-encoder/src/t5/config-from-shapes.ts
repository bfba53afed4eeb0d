import { CheckpointError } from '@sd/core';
import type { TensorView } from '@sd/weights';

type Shapes = ReadonlyMap<string, Pick<TensorView, 'shape'>>;

/**
 * The `config.json` of transformers' `T5EncoderModel` that names and shapes of a model's tensors imply, by transformers'
 * names, for T5 1.1. Throws a CheckpointError, which names `file` and the tensor, where one is missing.
 */
export function t5ConfigFromShapes(file: string, tensors: Shapes): Readonly<Record<string, unknown>> {
  const size = (name: string, axis: number): number => {
    const found = tensors.get(name)?.shape[axis];
    if (found !== undefined) return found;
    throw new CheckpointError('missing-tensor', file, `has no tensor ${name}, which its shape follows from.`, {
      tensor: name,
    });
  };
  const attention = 'encoder.block.0.layer.0.SelfAttention';
  const heads = size(`${attention}.relative_attention_bias.weight`, 1);
  const table = tensors.has('shared.weight') ? 'shared.weight' : 'encoder.embed_tokens.weight';
  const layers = [...tensors.keys()].filter((name) => /^encoder\.block\.\d+\.layer\.0\.layer_norm\.weight$/.test(name));
  return {
    architectures: ['T5EncoderModel'],
    vocab_size: size(table, 0),
    d_model: size(table, 1),
    d_kv: size(`${attention}.q.weight`, 0) / heads,
    d_ff: size('encoder.block.0.layer.1.DenseReluDense.wi_0.weight', 0),
    num_layers: layers.length,
    num_heads: heads,
    relative_attention_num_buckets: size(`${attention}.relative_attention_bias.weight`, 0),
    feed_forward_proj: 'gated-gelu',
  };
}
