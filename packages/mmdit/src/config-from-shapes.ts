import { CheckpointError } from '@sd/core';
import type { TensorView } from '@sd/weights';

type Shapes = ReadonlyMap<string, Pick<TensorView, 'shape'>>;

/** Width of a head in every published model; those without normalized heads do not say it. */
const usualHeadWidth = 64;

/**
 * The `config.json` of diffusers' `SD3Transformer2DModel` that names and shapes of a model's tensors imply, by diffusers'
 * names. They do not say what size of latents it was trained on, which is 128 in all published ones. Throws a
 * CheckpointError, which names `file` and the tensor, where one is missing.
 */
export function mmditConfigFromShapes(file: string, tensors: Shapes): Readonly<Record<string, unknown>> {
  const size = (name: string, axis: number): number => {
    const found = tensors.get(name)?.shape[axis];
    if (found !== undefined) return found;
    throw new CheckpointError('missing-tensor', file, `has no tensor ${name}, which its shape follows from.`, {
      tensor: name,
    });
  };
  const blocks = (tensor: string): number[] => {
    const pattern = new RegExp(`^transformer_blocks\\.(\\d+)\\.${tensor.replaceAll('.', '\\.')}$`);
    return [...tensors.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  };
  const width = size('pos_embed.proj.weight', 0);
  const patchSize = size('pos_embed.proj.weight', 2);
  const normalizedHeads = tensors.get('transformer_blocks.0.attn.norm_q.weight');
  const headWidth = normalizedHeads?.shape[0] ?? usualHeadWidth;
  return {
    sample_size: 128,
    patch_size: patchSize,
    in_channels: size('pos_embed.proj.weight', 1),
    out_channels: size('proj_out.weight', 0) / patchSize ** 2,
    num_layers: blocks('attn.to_q.weight').length,
    attention_head_dim: headWidth,
    num_attention_heads: width / headWidth,
    joint_attention_dim: size('context_embedder.weight', 1),
    caption_projection_dim: size('context_embedder.weight', 0),
    pooled_projection_dim: size('time_text_embed.text_embedder.linear_1.weight', 1),
    pos_embed_max_size: Math.sqrt(size('pos_embed.pos_embed', 1)),
    dual_attention_layers: blocks('attn2.to_q.weight').sort((a, b) => a - b),
    qk_norm: normalizedHeads === undefined ? null : 'rms_norm',
  };
}
