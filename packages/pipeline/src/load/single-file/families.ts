/** A model's `config.json`, or another JSON file of a diffusers folder. */
export type Json = Readonly<Record<string, unknown>>;

export type FamilyId = 'sd1' | 'sd2' | 'sdxl' | 'sdxl-refiner';

/** What one text encoder of a family is like, beside its shapes. */
export interface TextRules {
  readonly class: 'CLIPTextModel' | 'CLIPTextModelWithProjection';
  readonly settings: Json;
  /** Layers at the end that the model was trained without. */
  readonly unusedLayers: number;
  /** What its tokenizer fills up with. */
  readonly pad: string;
}

/** How many heads, or how wide each is. */
export type Heads = { readonly count: number } | { readonly width: number };

/** What a file of a family does not say of itself: the names and shapes in it say the rest. */
export interface Family {
  readonly id: FamilyId;
  readonly title: string;
  readonly pipeline: string;
  /** Attention's heads in each block of the U-Net: a count for all, or their width. */
  readonly heads: Heads;
  readonly unet: Json;
  readonly vae: Json;
  readonly text: Readonly<Partial<Record<'text_encoder' | 'text_encoder_2', TextRules>>>;
  readonly scheduler: Json;
  /** Further values of `model_index.json`. */
  readonly index: Json;
}

const betas = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  clip_sample: false,
  steps_offset: 1,
};

const clip: TextRules = {
  class: 'CLIPTextModel',
  settings: { hidden_act: 'quick_gelu', layer_norm_eps: 1e-5, eos_token_id: 2 },
  unusedLayers: 0,
  pad: '<|endoftext|>',
};

const openClip = { ...clip.settings, hidden_act: 'gelu' };

const bigClip: TextRules = {
  class: 'CLIPTextModelWithProjection',
  settings: openClip,
  unusedLayers: 0,
  pad: '!',
};

const xl = {
  heads: { width: 64 },
  unet: { sample_size: 128, addition_time_embed_dim: 256, norm_num_groups: 32 },
  vae: { sample_size: 1024, scaling_factor: 0.13025, norm_num_groups: 32, force_upcast: true },
  scheduler: { _class_name: 'EulerDiscreteScheduler', ...betas, timestep_spacing: 'leading' },
} as const;

/**
 * The families that are known, as their own config files have it.
 * @see the `config.json` files of stable-diffusion-v1-5, stable-diffusion-2-1 and stable-diffusion-xl-base-1.0
 */
export const families: Readonly<Record<FamilyId, Family>> = {
  sd1: {
    id: 'sd1',
    title: 'Stable Diffusion 1',
    pipeline: 'StableDiffusionPipeline',
    heads: { count: 8 },
    unet: { sample_size: 64, norm_num_groups: 32 },
    vae: { sample_size: 512, scaling_factor: 0.18215, norm_num_groups: 32 },
    text: { text_encoder: clip },
    scheduler: { _class_name: 'PNDMScheduler', ...betas },
    index: {},
  },
  sd2: {
    id: 'sd2',
    title: 'Stable Diffusion 2',
    pipeline: 'StableDiffusionPipeline',
    heads: { width: 64 },
    // Stable Diffusion 2.1 needs it in half precision, and its file does not tell it from 2.0.
    unet: { sample_size: 96, norm_num_groups: 32, upcast_attention: true },
    vae: { sample_size: 768, scaling_factor: 0.18215, norm_num_groups: 32 },
    text: { text_encoder: { class: 'CLIPTextModel', settings: openClip, unusedLayers: 1, pad: '!' } },
    scheduler: { _class_name: 'DDIMScheduler', ...betas },
    index: {},
  },
  sdxl: {
    ...xl,
    id: 'sdxl',
    title: 'Stable Diffusion XL',
    pipeline: 'StableDiffusionXLPipeline',
    text: { text_encoder: clip, text_encoder_2: bigClip },
    index: { force_zeros_for_empty_prompt: true },
  },
  'sdxl-refiner': {
    ...xl,
    id: 'sdxl-refiner',
    title: 'Stable Diffusion XL, the refiner',
    pipeline: 'StableDiffusionXLImg2ImgPipeline',
    text: { text_encoder_2: bigClip },
    index: { force_zeros_for_empty_prompt: false, requires_aesthetics_score: true },
  },
};
