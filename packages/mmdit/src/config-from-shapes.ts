import { axisSize, type TensorShapes } from '@sd/weights';

/** Width of a head in every published model; no shape says it in models without normalized heads. */
const defaultHeadWidth = 64;

/**
 * The `config.json` of diffusers' `SD3Transformer2DModel`, derived from the shapes of a model's tensors under diffusers'
 * names. The latents' size in training does not follow from them; it is 128 in all published models. Throws a
 * CheckpointError that names `file` and a missing tensor.
 */
export function mmditConfigFromShapes(file: string, tensors: TensorShapes): Readonly<Record<string, unknown>> {
  const size = (name: string, axis: number) => axisSize(file, tensors, name, axis);
  const blocks = (tensor: string): number[] => {
    const pattern = new RegExp(`^transformer_blocks\\.(\\d+)\\.${tensor.replaceAll('.', '\\.')}$`);
    return [...tensors.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  };
  const width = size('pos_embed.proj.weight', 0);
  const patchSize = size('pos_embed.proj.weight', 2);
  const normalizedHeads = tensors.get('transformer_blocks.0.attn.norm_q.weight');
  const headWidth = normalizedHeads?.shape[0] ?? defaultHeadWidth;
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
