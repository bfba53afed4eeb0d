import { autoencoder } from '../autoencoder.js';
import { clipComponent, clipG, clipL } from '../clip.js';
import type { Family, Json } from '../family.js';
import { sd3Composition, sd3Defaults } from './composition.js';
import { sd3Details, sd3Layout } from './layout.js';
import { t5Component } from './t5.js';
import { transformer } from './transformer.js';

/** In folders the first text encoder has a projection, in single files it does not; it is not used. */
const clipClasses = ['CLIPTextModelWithProjection', 'CLIPTextModel'];

/** Config values that a single file does not contain. */
const known: Readonly<Record<string, Json>> = {
  vae: { sample_size: 1024, scaling_factor: 1.5305, shift_factor: 0.0609, norm_num_groups: 32, force_upcast: true },
};

/**
 * Stable Diffusion 3 and 3.5: a multimodal diffusion transformer (MMDiT) trained by flow matching, with two CLIP text encoders,
 * T5, and latents of 16 channels.
 * @see arXiv 2403.03206; the config files of stable-diffusion-3.5-medium
 */
export const sd3: Family = {
  id: 'sd3',
  title: 'Stable Diffusion 3',
  contextWidth: 4096,
  textWidths: { text_encoder: 768, text_encoder_2: 1280, text_encoder_3: 4096 },
  baseModel: /^(sd3|stable-diffusion-3|stable-diffusion-v3)/,
  textEncoders: [
    clipComponent({
      name: 'text_encoder',
      tokenizer: 'tokenizer',
      output: 'penultimate',
      facts: clipL,
      classes: clipClasses,
      pad: '<|endoftext|>',
    }),
    clipComponent({
      name: 'text_encoder_2',
      tokenizer: 'tokenizer_2',
      output: 'penultimate',
      facts: clipG,
      classes: clipClasses,
      pad: '!',
    }),
    t5Component,
  ],
  noisePredictor: transformer,
  vae: autoencoder(1.5305),
  defaults: sd3Defaults,
  folder: { recognises: ({ classOf }) => classOf('transformer') === 'SD3Transformer2DModel' },
  file: {
    layout: sd3Layout,
    recognises: ({ components }) => components.transformer !== undefined,
    known: (component) => known[component] ?? {},
    scheduler: () => ({ _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift: 3 }),
    index: { _class_name: 'StableDiffusion3Pipeline' },
    details: sd3Details,
  },
  composition: sd3Composition,
  fits: ({ noisePredictor }) => noisePredictor.needs?.some(({ name }) => name === 'pooled_projections') === true,
};
