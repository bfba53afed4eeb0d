import { UnsupportedError } from '@sd/core';
import type { TensorShapes } from '@sd/weights';

/** A known kind of file that is not supported, and is refused by name. */
export interface UnsupportedFile {
  /** Its name in messages: `a ControlNet-XS`; for a model the name alone, `Flux`. */
  readonly title: string;
  /** The kind of file. A part cannot be used alone, or belongs to an unsupported model. */
  readonly of: 'adapter' | 'part' | 'model';
  /** Names of tensors: each pattern matches one in such a file. Without patterns, the row is for LoRAs only. */
  readonly marks: readonly RegExp[];
  /** Names of tensors that such a file lacks, if its marks also occur in supported files. */
  readonly lacks?: RegExp;
  /** The shape of a tensor, where the names are ambiguous: its sizes, -1 for any. */
  readonly shape?: readonly [name: RegExp, sizes: readonly number[]];
  /** Classes in the `config.json` of a folder. */
  readonly classes?: readonly string[];
  /** Names of tensors in a LoRA for such a model, with dots or underscores between a module's names. */
  readonly lora?: RegExp;
}

/** Adapters, by what distinguishes them from the supported ones that they resemble. */
const adapters: readonly Omit<UnsupportedFile, 'of'>[] = [
  { title: 'a ControlNet-LLLite', marks: [/(^|\.)lllite_/] },
  { title: 'a CtrLoRA', marks: [/\.lora_layer\./, /(^|\.)(zero_convs|input_blocks|middle_block)\./] },
  {
    title: 'a ControlNet Union (ControlNet++, ProMax)',
    marks: [
      /(^|\.)(zero_convs|controlnet_down_blocks)\.0\./,
      /(^|\.)(task_embedding$|(control_type_proj|control_add_embedding|spatial_ch_projs|transformer_layes)\.)/,
    ],
    classes: ['ControlNetUnionModel', 'ControlNetModel_Union'],
  },
  {
    title: 'a SparseCtrl',
    marks: [/(^|\.)(controlnet_(cond_embedding|down_blocks|mid_block)\.|zero_convs\.0\.)/, /(^|\.)motion_modules\.\d/],
    classes: ['SparseControlNetModel'],
  },
  {
    title: 'a ControlNet of Stable Video Diffusion',
    marks: [/(^|\.)(controlnet_down_blocks|zero_convs)\.0\./, /(^|\.)(temporal_res_block|time_stack)\./],
  },
  {
    title: 'a ControlNet-XS',
    marks: [
      /(^|\.)(control_to_base_for_conv_in|control_to_base|base_to_control|ctrl_to_base|base_to_ctrl|(enc|dec)_zero_convs_(in|out))\./,
    ],
    classes: ['ControlNetXSAdapter', 'ControlNetXSModel', 'UNetControlNetXSModel'],
  },
  {
    title: 'a ControlNet of Flux',
    marks: [/(^|\.)controlnet_(blocks|single_blocks)\.0\./, /(^|\.)(single_transformer_blocks|double_blocks)\.0\./],
    classes: ['FluxControlNetModel'],
  },
  {
    title: 'a ControlNet of Stable Diffusion 3',
    marks: [/(^|\.)controlnet_blocks\.0\./, /(^|\.)time_text_embed\.text_embedder\./],
    classes: ['SD3ControlNetModel'],
  },
  {
    title: 'a ControlNet for a model with a transformer',
    marks: [/(^|\.)controlnet_blocks\.0\./],
    classes: ['HunyuanDiT2DControlNetModel', 'SanaControlNetModel', 'QwenImageControlNetModel'],
  },
  { title: 'a ControlNeXt', marks: [/(^|\.)down_res\.0\./, /(^|\.)mid_convs\.0\./] },
  { title: 'a BrushNet', marks: [/(^|\.)brushnet_(down|mid|up)_blocks?\./], classes: ['BrushNetModel'] },
  { title: 'a T2I style adapter', marks: [/^style_embedding$/, /(^|\.)transformer_layes\.0\./] },
  {
    title: 'a T2I-Adapter with convolutions between its stages',
    marks: [/(^|\.)body\.\d+\.(down_opt\.op|skep)\./],
  },
  { title: 'a CoAdapter', marks: [/(^|\.)(spatial_ch_projs|spatial_feat_mapping)\./], classes: ['MultiAdapter'] },
  { title: 'a GLIGEN model', marks: [/(^|\.)position_net\.|\.fuser\.(alpha_attn$|attn\.)/] },
  { title: 'a PhotoMaker', marks: [/^id_encoder\./] },
  { title: 'a PuLID', marks: [/^pulid_ca\./] },
  {
    title: 'an InstantID adapter, which sees faces by a model of InsightFace',
    marks: [/^image_proj\.latents$/],
    // The embedding of a face. A CLIP image encoder's hidden states are wider.
    shape: [/^image_proj\.proj_in\.weight$/, [-1, 512]],
  },
  { title: 'an IP-Adapter of Flux', marks: [/(^|\.)ip_adapter_(double|single)_stream_/] },
  { title: 'an IP-Adapter of Stable Diffusion 3', marks: [/(^|\.)norm_ip\.linear\./] },
  { title: 'an image prompt of Flux (Redux)', marks: [/^redux_(up|down)\./] },
  { title: 'motion layers of Hotshot-XL', marks: [/(^|\.)temporal_attentions\.\d/] },
  // Two vectors, as in a textual inversion of two words.
  { title: 'an image normalizer of unCLIP', marks: [/^mean$/, /^std$/], classes: ['StableUnCLIPImageNormalizer'] },
  {
    title: 'a reference U-Net, which has no output',
    marks: [/^down_blocks\.0\.attentions\.0\./, /^up_blocks\.\d+\.attentions\.0\./],
    lacks: /(^|\.)(conv_out\.|base_conv_out\.)/,
  },
];

/** Parts of models, and models for other tasks. */
const parts: readonly Omit<UnsupportedFile, 'of'>[] = [
  { title: 'an upscaler of images (ESRGAN)', marks: [/^(model\.1\.sub\.0\.RDB1|body\.0\.rdb1|RRDB_trunk\.0)\./i] },
  { title: 'an upscaler of images (SwinIR)', marks: [/^layers\.0\.residual_group\./] },
  { title: 'a safety checker', marks: [/^concept_embeds$/], classes: ['StableDiffusionSafetyChecker'] },
  { title: 'a T5 text encoder', marks: [/^encoder\.block\.0\.layer\.0\.SelfAttention\./] },
  { title: 'a language model', marks: [/(^|\.)layers\.0\.self_attn\.o_proj\./, /(^|\.)embed_tokens\.weight$/] },
  { title: 'a BERT text encoder', marks: [/(^|\.)embeddings\.word_embeddings\./], classes: ['BertModel'] },
  {
    title: 'a SigLIP image encoder',
    marks: [/(^|\.)embeddings\.patch_embedding\./, /(^|\.)head\.probe$/],
    classes: ['SiglipVisionModel'],
  },
  { title: 'an autoencoder with a codebook (VQ)', marks: [/(^|\.)quantize\.embedding\.weight$/], classes: ['VQModel'] },
  {
    title: 'the autoencoder of Stable Video Diffusion',
    marks: [/^decoder\.(mid_block\.resnets\.0\.spatial_res_block|mid\.block_1\.time_stack)\./],
    classes: ['AutoencoderKLTemporalDecoder'],
  },
  {
    title: 'an asymmetric autoencoder',
    marks: [/^decoder\.condition_encoder\./],
    classes: ['AsymmetricAutoencoderKL'],
  },
  { title: 'a consistency decoder', marks: [/^decoder_unet\./], classes: ['ConsistencyDecoderVAE'] },
  {
    title: 'the autoencoder of a video model',
    marks: [
      /^(encoder|decoder)\.((conv_in|conv_out|mid_block\.resnets\.0\.conv1)\.conv\.weight$|mid_block\.attentions\.0\.to_qkv\.|block_out\.|temp_conv_in\.|(down|up)samples\.0\.)/,
    ],
    classes: [
      'AutoencoderKLWan',
      'AutoencoderKLQwenImage',
      'AutoencoderKLCogVideoX',
      'AutoencoderKLHunyuanVideo',
      'AutoencoderKLLTXVideo',
      'AutoencoderKLMochi',
      'AutoencoderKLAllegro',
    ],
  },
  {
    title: 'the autoencoder of Sana (DC-AE)',
    marks: [/^encoder\.(down_blocks\.0\.0\.conv1|stages\.0\.)/],
    classes: ['AutoencoderDC'],
  },
  { title: 'an autoencoder of sound', marks: [/^encoder\.block\.0\.res_unit1\./], classes: ['AutoencoderOobleck'] },
];

/** Models of other kinds. For a whole model, the noise predictor decides. */
const models: readonly Omit<UnsupportedFile, 'of'>[] = [
  { title: 'Chroma', marks: [/(^|\.)distilled_guidance_layer\.(norms|layers)\.0\./] },
  { title: 'HunyuanVideo', marks: [/(^|\.)(txt_in\.individual_token_refiner|context_embedder\.token_refiner)\./] },
  { title: 'Flux 2', marks: [/(^|\.)double_stream_modulation_img\./] },
  {
    title: 'Flux',
    marks: [
      /(^|\.)double_blocks\.0\.img_(attn|mod)\.|^transformer\.single_transformer_blocks\.0\.|^single_transformer_blocks\.0\.proj_mlp\./,
    ],
    lora: /(double|single)_blocks?[._]|single_transformer_blocks/,
  },
  {
    title: 'AuraFlow',
    marks: [/(^|\.)(double_layers\.0\.attn\.w1q\.|register_tokens$)/],
    lora: /joint_transformer_blocks/,
  },
  { title: 'Qwen-Image', marks: [/(^|\.)transformer_blocks\.0\.(img_mod\.1|img_mlp)\./] },
  {
    title: 'Wan',
    marks: [/(^|\.)(blocks\.0\.self_attn\.norm_q\.|head\.modulation$|condition_embedder\.time_embedder\.)/],
  },
  { title: 'LTX-Video', marks: [/(^|\.)patchify_proj\./] },
  { title: 'LTX-Video', marks: [/^caption_projection\.linear_1\./, /^transformer_blocks\.0\.attn2\.norm_q\./] },
  { title: 'Mochi', marks: [/(^|\.)(t5_yproj\.|pos_frequencies$)/] },
  { title: 'HiDream', marks: [/(^|\.)double_stream_blocks\.0\.block\./] },
  { title: 'Lumina or Z-Image', marks: [/(^|\.)(cap_embedder\.[01]|time_caption_embed\.caption_embedder)\./] },
  { title: 'Latte', marks: [/^temporal_transformer_blocks\.0\./] },
  { title: 'PixArt or Sana', marks: [/(^|\.)(y_embedder\.y_proj|caption_projection|adaln_single)\./] },
  { title: 'Hunyuan-DiT', marks: [/(^|\.)text_embedding_padding$/] },
  { title: 'CogView', marks: [/^time_condition_embed\./] },
  { title: 'CogVideoX', marks: [/^patch_embed\.text_proj\./] },
  { title: 'OmniGen', marks: [/(^|\.)(input_x_embedder|patch_embedding\.output_image_proj)\./] },
  { title: 'Cosmos', marks: [/(^|\.)(time_embed\.t_embedder|t_embedder\.1\.linear_1)\./] },
  { title: 'DiT', marks: [/\.norm1\.emb\.class_embedder\./] },
  {
    title: 'Stable Cascade',
    marks: [/(^|\.)(clip_txt(_pooled)?_mapper|clip_mapper)\./],
    lora: /^lora_prior_/,
  },
  {
    title: 'Stable Audio or another sound model',
    marks: [/(^|\.)(to_timestep_embed|to_global_embed|cross_attention_proj\.0)\./],
  },
  { title: 'I2VGen-XL', marks: [/^image_latents_temporal_encoder\./] },
  {
    title: 'Stable Video Diffusion',
    marks: [/(^|\.)(input_blocks\.1\.0\.time_stack|down_blocks\.0\.attentions\.0\.temporal_transformer_blocks)\./],
  },
  { title: 'a text-to-video U-Net', marks: [/(^|\.)down_blocks\.0\.(temp_convs|temp_attentions)\.0\./] },
  { title: 'AnimateDiff, with the U-Net in it', marks: [/(^|\.)motion_modules\.\d/, /(^|\.)conv_in\.weight$/] },
  {
    title: 'Kandinsky',
    marks: [/(^|\.)(add_embedding\.image_norm|encoder_hid_proj\.(image_embeds|projection_linear))\./],
  },
  { title: 'Kolors or DeepFloyd IF', marks: [/(^|\.)encoder_hid_proj\./] },
  { title: 'aMUSEd', marks: [/^encoder_proj\./, /^cond_embed\./] },
  { title: 'an unCLIP prior', marks: [/^(prior\.model\.)?(prd_embedding|prd_emb)$/] },
  { title: 'an image-to-3D model', marks: [/(^|\.)cc_projection\./] },
  { title: 'Paint by Example', marks: [/^cond_stage_model\.transformer\.vision_model\./] },
  { title: 'Stable Diffusion Image Variations', marks: [/^cond_stage_model\.(model\.)?visual\./] },
  { title: 'Latent Diffusion of 2022', marks: [/^cond_stage_model\.transformer\.(token_emb|attn_layers)\./] },
  {
    title: 'a model with a transformer in the U-Net’s place',
    marks: [],
    // The modules of Stable Diffusion 3's transformer are supported, with and without the component's name as prefix.
    lora: /^((lora|lycoris)_)?transformer[._](?!(transformer_blocks|joint_blocks|pos_embed|[xty]_embedder|time_text_embed|context_embedder|norm_out|proj_out|final_layer)[._]|blocks_\d+_(attn2?|ff|ff_context|norm1|norm1_context)_)|^diffusion_model\.\w*(?<!(input|output|down|up|joint)_)blocks\./,
  },
];

const inOrder = (of: UnsupportedFile['of'], rows: readonly Omit<UnsupportedFile, 'of'>[]) =>
  rows.map((row): UnsupportedFile => ({ ...row, of }));

/**
 * The files that are refused by name; the first matching row decides. Those that resemble supported adapters come before
 * these where files are recognised, and the others before supported models.
 */
export const unsupportedFiles: readonly UnsupportedFile[] = [
  ...inOrder('adapter', adapters),
  ...inOrder('part', parts),
  ...inOrder('model', models),
];

/** The row of a file that is refused by name, by its tensors. */
export function unsupportedFile(
  tensors: TensorShapes,
  rows: readonly UnsupportedFile[] = unsupportedFiles,
): UnsupportedFile | undefined {
  const names = [...tensors.keys()];
  const hasAny = (pattern: RegExp) => names.some((name) => pattern.test(name));
  return rows.find(
    ({ marks, lacks, shape }) =>
      marks.length > 0 &&
      marks.every(hasAny) &&
      !(lacks !== undefined && hasAny(lacks)) &&
      (shape === undefined || hasShape(tensors, ...shape)),
  );
}

function hasShape(tensors: TensorShapes, name: RegExp, sizes: readonly number[]): boolean {
  return [...tensors].some(
    ([key, { shape }]) =>
      name.test(key) &&
      shape.length === sizes.length &&
      sizes.every((size, axis) => size === -1 || size === shape[axis]),
  );
}

/** The end of a message that begins with the file's name: `is a ControlNet-XS, which ...`. */
export function unsupportedSentence({ title, of }: UnsupportedFile, families: readonly { title: string }[]): string {
  if (of !== 'model') return `is ${title}, which is not supported.`;
  const supported = families.map((family) => family.title).join(', ');
  return `is a model of ${title}, which is not supported. Supported are ${supported}.`;
}

/** Throws an UnsupportedError that names a folder's weights if they are for another adapter than its config says. */
export function expectSupportedAdapter(path: string, names: Iterable<string>): void {
  const row = unsupportedFile(new Map([...names].map((name) => [name, { shape: [] }])), adapterRows);
  if (row !== undefined) throw new UnsupportedError(`${path} ${unsupportedSentence(row, [])}`);
}

/** The rows of adapters, which are tried before supported adapters. */
export const adapterRows = unsupportedFiles.filter(({ of }) => of === 'adapter');

/** The unsupported model that a LoRA is for, by the name of one of its tensors. */
export function unsupportedLora(name: string): string | undefined {
  return models.find(({ lora }) => lora?.test(name))?.title;
}

/** The unsupported model in a checkpoint, by the names of its tensors. */
export function unsupportedModel(names: Iterable<string>): string | undefined {
  const shapes = new Map([...names].map((name) => [name, { shape: [] }]));
  return unsupportedFile(
    shapes,
    unsupportedFiles.filter(({ of }) => of === 'model'),
  )?.title;
}
