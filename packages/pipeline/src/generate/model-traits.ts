import { InvalidOptionError } from '@sd/core';
import type { RunDefaults } from '../defaults/run-defaults.js';
import { type Composition, type UsualDefaults, usualDefaults } from '../families/family.js';
import type { Stages } from '../stages.js';
import { stepsFor } from './initial/step-range.js';

/** The properties of a pipeline's stages that runs depend on. */
export interface ModelTraits {
  readonly composition: Composition;
  readonly latentChannels: number;
  /** Pixels per latent along each side. */
  readonly scaleFactor: number;
  /** Widths and heights must be multiples of this many pixels. */
  readonly sideMultiple: number;
  /** Height and width, in latents, of the images that the model was trained on. */
  readonly sampleSize: number;
  /**
   * What the noise predictor takes in addition to the sample: a mask and the masked image (inpainting), or the image to edit
   * (InstructPix2Pix).
   */
  readonly imageInput: 'none' | 'mask' | 'image';
  /** Width of the guidance scale's embedding, for guidance-distilled models; undefined for others. */
  readonly guidanceEmbeddingWidth: number | undefined;
  readonly defaults: UsualDefaults;
  /** How many of a run's steps a strength keeps. */
  stepsFor(steps: number, strength: number): number;
}

/** The traits with other defaults, as far as these are given. */
export function withDefaults(traits: ModelTraits, given: Partial<RunDefaults> = {}): ModelTraits {
  const { steps = traits.defaults.steps, guidanceScale = traits.defaults.guidanceScale } = given;
  return { ...traits, defaults: { steps, guidanceScale } };
}

/** Reads the traits from the stages. Throws an InvalidOptionError for stages that do not fit together. */
export function modelTraits({ noisePredictor, vae }: Stages, composition: Composition): ModelTraits {
  const { latentChannels, scaleFactor } = vae;
  const extraChannels = noisePredictor.inChannels - latentChannels;
  const imageInput = ({ 0: 'none', [latentChannels + 1]: 'mask', [latentChannels]: 'image' } as const)[extraChannels];
  if (imageInput === undefined || noisePredictor.outChannels !== latentChannels) {
    throw new InvalidOptionError(
      'noisePredictor',
      `takes ${noisePredictor.inChannels} channels and returns ${noisePredictor.outChannels}, but the VAE's latents have ${latentChannels}: it must take ${latentChannels}, or ${2 * latentChannels + 1} for inpainting, or ${2 * latentChannels} for InstructPix2Pix, and return ${latentChannels}.`,
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
    defaults: composition.defaults ?? usualDefaults,
    stepsFor: composition.stepsFor ?? stepsFor,
  };
}
