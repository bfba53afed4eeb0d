import { axisSize, type TensorShapes } from '@sd/weights';

/**
 * The `config.json` of transformers' `T5EncoderModel` for T5 1.1, derived from the shapes of a model's tensors under
 * transformers' names. Throws a CheckpointError that names `file` and a missing tensor.
 */
export function t5ConfigFromShapes(file: string, tensors: TensorShapes): Readonly<Record<string, unknown>> {
  const size = (name: string, axis: number) => axisSize(file, tensors, name, axis);
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
