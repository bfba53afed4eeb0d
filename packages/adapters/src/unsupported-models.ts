interface UnsupportedModel {
  readonly title: string;
  /** Names of tensors in a checkpoint of it. */
  readonly checkpoint?: RegExp;
  /** Names of tensors in a LoRA for it, with dots or underscores between a module's names. */
  readonly lora?: RegExp;
}

/** Models of other kinds, by the names of their tensors. The first row that matches decides. */
const unsupportedModels: readonly UnsupportedModel[] = [
  { title: 'Chroma', checkpoint: /(^|\.)distilled_guidance_layer\.(norms|layers)\.0\./ },
  { title: 'HunyuanVideo', checkpoint: /(^|\.)txt_in\.individual_token_refiner\./ },
  {
    title: 'Flux',
    checkpoint:
      /(^|\.)double_blocks\.0\.img_(attn|mod)\.|^transformer\.single_transformer_blocks\.0\.|^single_transformer_blocks\.0\.proj_mlp\./,
    lora: /(double|single)_blocks?[._]|single_transformer_blocks/,
  },
  {
    title: 'AuraFlow',
    checkpoint: /(^|\.)double_layers\.0\.attn\.w1q\./,
    lora: /joint_transformer_blocks/,
  },
  { title: 'Qwen-Image', checkpoint: /(^|\.)transformer_blocks\.0\.img_mod\.1\./ },
  { title: 'Wan', checkpoint: /(^|\.)blocks\.0\.self_attn\.norm_q\.|(^|\.)head\.modulation$/ },
  { title: 'LTX-Video', checkpoint: /(^|\.)patchify_proj\./ },
  { title: 'Mochi', checkpoint: /(^|\.)t5_yproj\./ },
  { title: 'HiDream', checkpoint: /(^|\.)double_stream_blocks\.0\.block\./ },
  { title: 'Lumina or Z-Image', checkpoint: /(^|\.)cap_embedder\.[01]\./ },
  { title: 'PixArt or Sana', checkpoint: /(^|\.)(y_embedder\.y_proj|caption_projection)\./ },
  { title: 'Hunyuan-DiT', checkpoint: /(^|\.)text_embedding_padding$/ },
  { title: 'Stable Cascade', checkpoint: /(^|\.)clip_txt(_pooled)?_mapper\./, lora: /^lora_prior_/ },
  { title: 'Stable Audio or another sound model', checkpoint: /(^|\.)(to_timestep_embed|to_global_embed)\./ },
  { title: 'Stable Video Diffusion', checkpoint: /(^|\.)input_blocks\.1\.0\.time_stack\./ },
  { title: 'Kolors or DeepFloyd IF', checkpoint: /(^|\.)encoder_hid_proj\./ },
  { title: 'an image-to-3D model', checkpoint: /(^|\.)cc_projection\./ },
  {
    title: 'a model with a transformer in the U-Net’s place',
    // The modules of Stable Diffusion 3's transformer are read, with its component's name before them and without.
    lora: /^((lora|lycoris)_)?transformer[._](?!(transformer_blocks|joint_blocks|pos_embed|[xty]_embedder|time_text_embed|context_embedder|norm_out|proj_out|final_layer)[._]|blocks_\d+_(attn2?|ff|ff_context|norm1|norm1_context)_)|^diffusion_model\.\w*(?<!(input|output|down|up|joint)_)blocks\./,
  },
];

/** The model that a checkpoint is of, where its names say that it is one that this project has no graphs for. */
export function unsupportedModel(names: Iterable<string>): string | undefined {
  const all = [...names];
  return unsupportedModels.find(({ checkpoint }) => all.some((name) => checkpoint?.test(name)))?.title;
}

/** The model that a LoRA is for, where the name of one of its tensors says that this project has no graphs for it. */
export function unsupportedLora(name: string): string | undefined {
  return unsupportedModels.find(({ lora }) => lora?.test(name))?.title;
}
