/** Models of other kinds, by a tensor that they have; the first that fits. */
const signs: readonly (readonly [title: string, name: RegExp])[] = [
  ['Chroma', /(^|\.)distilled_guidance_layer\.(norms|layers)\.0\./],
  ['HunyuanVideo', /(^|\.)txt_in\.individual_token_refiner\./],
  ['Flux', /(^|\.)double_blocks\.0\.img_(attn|mod)\./],
  ['Flux', /^transformer\.single_transformer_blocks\.0\.|^single_transformer_blocks\.0\.proj_mlp\./],
  ['Stable Diffusion 3', /(^|\.)joint_blocks\.0\.(x|context)_block\./],
  ['AuraFlow', /(^|\.)double_layers\.0\.attn\.w1q\./],
  ['Qwen-Image', /(^|\.)transformer_blocks\.0\.img_mod\.1\./],
  ['Wan', /(^|\.)blocks\.0\.self_attn\.norm_q\.|(^|\.)head\.modulation$/],
  ['LTX-Video', /(^|\.)patchify_proj\./],
  ['Mochi', /(^|\.)t5_yproj\./],
  ['HiDream', /(^|\.)double_stream_blocks\.0\.block\./],
  ['Lumina or Z-Image', /(^|\.)cap_embedder\.[01]\./],
  ['PixArt or Sana', /(^|\.)(y_embedder\.y_proj|caption_projection)\./],
  ['Hunyuan-DiT', /(^|\.)text_embedding_padding$/],
  ['Stable Cascade', /(^|\.)clip_txt(_pooled)?_mapper\./],
  ['Stable Audio or another sound model', /(^|\.)(to_timestep_embed|to_global_embed)\./],
  ['Stable Video Diffusion', /(^|\.)input_blocks\.1\.0\.time_stack\./],
  ['Kolors or DeepFloyd IF', /(^|\.)encoder_hid_proj\./],
  ['an image-to-3D model', /(^|\.)cc_projection\./],
];

/** What a file is that is no Stable Diffusion 1, 2 or XL, as far as its names tell. */
export function foreignModel(names: Iterable<string>): string | undefined {
  const all = [...names];
  return signs.find(([, pattern]) => all.some((name) => pattern.test(name)))?.[0];
}
