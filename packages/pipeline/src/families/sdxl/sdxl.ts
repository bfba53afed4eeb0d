import { UnsupportedError } from '@sd/core';
import { autoencoder } from '../autoencoder.js';
import { clipComponent, clipG, clipL } from '../clip.js';
import type { Family, FileNotes, Json, SplitFile } from '../family.js';
import { predictionType, zeroTerminalSnr } from '../sd1.js';
import { trainedBetas, unetComponent, unetDetails, unetLayout, unetTraits } from '../unet.js';
import { sdxlComposition } from './composition.js';
import { edmLatents, edmMarkers, edmScheduler } from './edm.js';

const first = clipComponent({
  name: 'text_encoder',
  tokenizer: 'tokenizer',
  output: 'penultimate',
  facts: clipL,
  pad: '<|endoftext|>',
});

const second = clipComponent({
  name: 'text_encoder_2',
  tokenizer: 'tokenizer_2',
  output: 'penultimate',
  facts: clipG,
  pad: '!',
});

/** What SDXL and its refiner share. */
const shared = {
  noisePredictor: unetComponent({ width: 64 }),
  vae: autoencoder(0.13025),
};

const file = {
  layout: unetLayout,
  markers: edmMarkers,
  known: (component: string) => known[component] ?? {},
  stated: (component: string, notes: FileNotes) => (component === 'vae' ? edmLatents(notes) : {}),
  scheduler: (notes: FileNotes) =>
    edmScheduler(notes) ?? {
      _class_name: 'EulerDiscreteScheduler',
      ...trainedBetas,
      timestep_spacing: 'leading',
      prediction_type: predictionType(notes),
      ...zeroTerminalSnr(notes),
    },
  details: unetDetails,
};

const known: Readonly<Record<string, Json>> = {
  unet: { sample_size: 128, addition_time_embed_dim: 256, norm_num_groups: 32 },
  vae: { sample_size: 1024, scaling_factor: 0.13025, norm_num_groups: 32, force_upcast: true },
};

/**
 * Stable Diffusion XL: two text encoders, and micro-conditioning on a pooled text embedding and the image's sizes.
 * @see arXiv 2307.01952; the config files of stable-diffusion-xl-base-1.0
 */
export const sdxl: Family = {
  ...shared,
  id: 'sdxl',
  title: 'Stable Diffusion XL',
  contextWidth: 2048,
  textWidths: { text_encoder: 768, text_encoder_2: 1280 },
  baseModel: /^(sdxl|stable-diffusion-xl)(?!.*refiner)/,
  textEncoders: [first, second],
  folder: {
    recognises: ({ classOf }) => classOf('text_encoder') !== undefined && classOf('text_encoder_2') !== undefined,
  },
  file: {
    ...file,
    recognises: (split) => unetTraits(split)?.addsPooledText === true && !isRefiner(split),
    refuse(split) {
      const { text_encoder, text_encoder_2 } = split.components;
      if (text_encoder === undefined || text_encoder_2 !== undefined) return;
      throw new UnsupportedError(
        `${split.path} is the unCLIP model of Stable Diffusion 2, which makes image variations and is not supported.`,
      );
    },
    index: { _class_name: 'StableDiffusionXLPipeline', force_zeros_for_empty_prompt: true },
  },
  composition: (stages, index) => sdxlComposition('sdxl', stages, index),
  fits: ({ noisePredictor }) => noisePredictor.needs?.some(({ name }) => name === 'time_ids') === true,
};

/** SDXL's refiner: only the second text encoder, and an aesthetic score in place of the target size. */
export const sdxlRefiner: Family = {
  ...shared,
  id: 'sdxl-refiner',
  title: 'the refiner of Stable Diffusion XL',
  contextWidth: 1280,
  textWidths: { text_encoder_2: 1280 },
  baseModel: /^(sdxl|stable-diffusion-xl).*refiner/,
  textEncoders: [second],
  folder: {
    recognises: ({ classOf }) => classOf('text_encoder') === undefined && classOf('text_encoder_2') !== undefined,
  },
  file: {
    ...file,
    recognises: (split) => unetTraits(split)?.addsPooledText === true && isRefiner(split),
    index: {
      _class_name: 'StableDiffusionXLImg2ImgPipeline',
      force_zeros_for_empty_prompt: false,
      requires_aesthetics_score: true,
    },
  },
  composition: (stages, index) => sdxlComposition('sdxl-refiner', stages, index),
  fits: () => false,
};

/** Recognises the refiner by a whole model's text encoders, or by the context width of a U-Net alone. */
function isRefiner(split: SplitFile): boolean {
  const { text_encoder, text_encoder_2 } = split.components;
  const isWhole = text_encoder !== undefined || text_encoder_2 !== undefined;
  return isWhole ? text_encoder === undefined : unetTraits(split)?.contextWidth === 1280;
}
