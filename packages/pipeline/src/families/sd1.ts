import { UnsupportedError } from '@sd/core';
import { autoencoder } from './autoencoder.js';
import { clipComponent, clipL } from './clip.js';
import { plainComposition } from './compositions.js';
import type { Family, FileNotes, Json } from './family.js';
import { hasClasses, trainedBetas, unetComponent, unetDetails, unetLayout, unetTraits } from './unet.js';

const title = 'Stable Diffusion 1';

/**
 * Stable Diffusion 1.
 * @see arXiv 2112.10752; the config files of stable-diffusion-v1-5
 */
export const sd1: Family = {
  id: 'sd1',
  title,
  contextWidth: 768,
  textWidths: { text_encoder: 768 },
  baseModel: /^(sd_?v?|stable-diffusion-v)1/,
  textEncoders: [
    clipComponent({
      name: 'text_encoder',
      tokenizer: 'tokenizer',
      output: 'normalized',
      facts: clipL,
      pad: '<|endoftext|>',
    }),
  ],
  noisePredictor: unetComponent({ count: 8 }),
  vae: autoencoder(0.18215),
  folder: { recognises: () => true },
  file: {
    layout: unetLayout,
    recognises: (file) => unetTraits(file)?.addsPooledText === false,
    refuse(file) {
      const { inChannels } = unetTraits(file)!;
      const variant = hasClasses(file) ? 'a class-conditional model' : inChannels === 7 ? 'an upscaler' : undefined;
      if (variant !== undefined) {
        throw new UnsupportedError(`${file.path} is ${variant} of ${title}, which is not supported.`);
      }
    },
    known: (component) => known[component] ?? {},
    scheduler: (notes) => ({
      _class_name: 'PNDMScheduler',
      ...trainedBetas,
      prediction_type: predictionType(notes),
      ...zeroTerminalSnr(notes),
    }),
    index: { _class_name: 'StableDiffusionPipeline' },
    details: unetDetails,
  },
  composition: (stages) => plainComposition('sd1', stages),
  fits: ({ textEncoders }) => textEncoders.length === 1,
};

const known: Readonly<Record<string, Json>> = {
  unet: { sample_size: 64, norm_num_groups: 32 },
  vae: { sample_size: 512, scaling_factor: 0.18215, norm_num_groups: 32 },
};

/**
 * diffusers' `prediction_type` of a file: as the caller says, by a marker tensor of newer files, or by metadata; otherwise
 * epsilon.
 */
export function predictionType({ metadata, has, prediction }: FileNotes): 'epsilon' | 'v_prediction' {
  const stated = prediction ?? (has('v_pred') ? 'v' : metadata['modelspec.predict_key']);
  return stated === 'v' ? 'v_prediction' : 'epsilon';
}

/** The scheduler's setting for a file that is marked as trained with zero terminal SNR (arXiv 2305.08891). */
export function zeroTerminalSnr({ has }: FileNotes): object {
  return has('ztsnr') ? { rescale_betas_zero_snr: true } : {};
}
