import { UnsupportedError } from '@sd/core';
import { autoencoder } from './autoencoder.js';
import { clipComponent, clipH } from './clip.js';
import { plainComposition } from './compositions.js';
import type { Family, FileNotes, FolderFacts, Json } from './family.js';
import { predictionType, zeroTerminalSnr } from './sd1.js';
import { hasClasses, trainedBetas, unetComponent, unetDetails, unetLayout, unetTraits } from './unet.js';

const title = 'Stable Diffusion 2';

/** Unsupported variants by their number of input channels. */
const unsupported: Readonly<Record<number, string>> = { 5: 'the depth-to-image model', 7: 'the upscaler' };

/**
 * Stable Diffusion 2 and 2.1: OpenCLIP's text encoder, linear projections in the transformers.
 * @see the config files of stable-diffusion-2-1
 */
export const sd2: Family = {
  id: 'sd2',
  title,
  contextWidth: 1024,
  textWidths: { text_encoder: 1024 },
  baseModel: /^(sd_?v?|stable-diffusion-v)2/,
  textEncoders: [
    clipComponent({ name: 'text_encoder', tokenizer: 'tokenizer', output: 'normalized', facts: clipH, pad: '!' }),
  ],
  noisePredictor: unetComponent({ width: 64 }),
  vae: autoencoder(0.18215),
  folder: { recognises },
  file: {
    layout: unetLayout,
    recognises(file) {
      const traits = unetTraits(file);
      return traits?.addsPooledText === false && (traits.linearProjection || traits.contextWidth === 1024);
    },
    refuse(file) {
      const variant = hasClasses(file) ? 'a class-conditional model' : unsupported[unetTraits(file)!.inChannels];
      if (variant !== undefined) {
        throw new UnsupportedError(`${file.path} is ${variant} of ${title}, which is not supported.`);
      }
    },
    known: knownOf,
    scheduler: (notes) => ({
      _class_name: 'DDIMScheduler',
      ...trainedBetas,
      prediction_type: predictionOf(notes),
      ...zeroTerminalSnr(notes),
    }),
    index: { _class_name: 'StableDiffusionPipeline' },
    details: unetDetails,
  },
  composition: (stages) => plainComposition('sd2', stages),
  fits: () => false,
};

function recognises({ classOf, config }: FolderFacts): boolean {
  if (classOf('text_encoder_2') !== undefined) return false;
  return config.cross_attention_dim === 1024 || config.use_linear_projection === true;
}

/** Models that predict epsilon were trained at 512 pixels, those that predict v at 768. */
function knownOf(component: string, notes: FileNotes): Json {
  const size = predictionOf(notes) === 'v_prediction' ? 768 : 512;
  // Stable Diffusion 2.1 needs its attention in float32, and its file looks the same as that of 2.0.
  if (component === 'unet') return { sample_size: size / 8, norm_num_groups: 32, upcast_attention: true };
  if (component === 'vae') return { sample_size: size, scaling_factor: 0.18215, norm_num_groups: 32 };
  return {};
}

/** Training step of the base model, which predicts epsilon. */
const baseModelStep = '875000';

/**
 * Shapes do not show what a model predicts. As in diffusers, a file without any hint is taken for the 768-pixel model, which
 * predicts v, but an inpainting model for one that predicts epsilon.
 */
function predictionOf(notes: FileNotes): 'epsilon' | 'v_prediction' {
  const { metadata, prediction, split } = notes;
  if (predictionType(notes) === 'v_prediction') return 'v_prediction';
  const saysEpsilon = prediction !== undefined || metadata['modelspec.predict_key'] === 'epsilon';
  const isBase =
    metadata['modelspec.architecture'] === 'stable-diffusion-v2-512' || metadata.global_step === baseModelStep;
  return saysEpsilon || isBase || unetTraits(split)?.inChannels !== 4 ? 'epsilon' : 'v_prediction';
}
