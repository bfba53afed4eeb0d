import { InvalidOptionError } from '@sd/core';
import type { Composition } from '../families/family.js';
import type { Stages } from '../stages.js';
import { stepsFor } from './initial/step-range.js';

/** What a pipeline's stages can do, as far as runs depend on it. */
export interface ModelTraits {
  readonly composition: Composition;
  readonly latentChannels: number;
  /** Pixels a side for each latent. */
  readonly scaleFactor: number;
  /** Sides of pictures must be multiples of this many pixels. */
  readonly sideMultiple: number;
  /** The side, in latents, that the model was trained on. */
  readonly sampleSize: number;
  /**
   * What the noise predictor takes besides the sample: a mask and the image without what is repainted (inpainting), or the
   * image to change (InstructPix2Pix).
   */
  readonly imageInput: 'none' | 'mask' | 'image';
  /** Width of the guidance scale's embedding, for models that were distilled to guide themselves by it. */
  readonly guidanceEmbeddingWidth: number | undefined;
  readonly defaults: { readonly steps: number; readonly guidanceScale: number };
  /** How many of a run's steps a strength leaves. */
  stepsFor(steps: number, strength: number): number;
}

/** Throws an InvalidOptionError for stages that do not go together. */
export function modelTraits({ noisePredictor, vae }: Stages, composition: Composition): ModelTraits {
  const { latentChannels, scaleFactor } = vae;
  const extraChannels = noisePredictor.inChannels - latentChannels;
  const imageInput = ({ 0: 'none', [latentChannels + 1]: 'mask', [latentChannels]: 'image' } as const)[extraChannels];
  if (imageInput === undefined || noisePredictor.outChannels !== latentChannels) {
    throw new InvalidOptionError(
      'noisePredictor',
      `takes ${noisePredictor.inChannels} channels and gives ${noisePredictor.outChannels}, but the VAE's latents have ${latentChannels}: it must take ${latentChannels}, or ${2 * latentChannels + 1} for inpainting, or ${2 * latentChannels} for changing images, and give ${latentChannels}.`,
    );
  }
  const guidanceInput = noisePredictor.needs?.find(({ name }) => name === 'timestep_cond');
  return {
    composition,
    latentChannels,
    scaleFactor,
    sideMultiple: composition.sideMultiple ?? scaleFactor,
    sampleSize: noisePredictor.sampleSize,
    imageInput,
    guidanceEmbeddingWidth: guidanceInput?.dims[1] as number | undefined,
    defaults: composition.defaults ?? { steps: 20, guidanceScale: 7.5 },
    stepsFor: composition.stepsFor ?? stepsFor,
  };
}
