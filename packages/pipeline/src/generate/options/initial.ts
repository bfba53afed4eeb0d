import { InvalidOptionError, type Tensor } from '@sd/core';
import { checkFraction, checkOptional, checkOptions, type OptionTable, oneOf, whole } from '@sd/core/options';
import type { Fit, ImageInput } from '@sd/image';
import type { StepRange } from '../initial/step-range.js';
import type { ModelTraits } from '../model-traits.js';

/** The options that say what a run starts from, in place of noise. */
export interface InitialImageOptions {
  /**
   * The image to start from: the bytes of a PNG or JPEG file, ImageData, or RGBA pixels; or latents [count or 1, channels,
   * height / 8, width / 8], such as `output: 'latents'` gives. `width` and `height` are its own unless they are given.
   */
  readonly image?: ImageInput | Tensor<'float32'> | undefined;
  /**
   * What to repaint of it: white is repainted, black kept. Grays mix, unless the U-Net is one for inpainting (of 9
   * channels), for which they are thresholded at half, as diffusers does for all.
   */
  readonly mask?: ImageInput | undefined;
  /**
   * How much to change the image: the fraction of the steps that is taken, `floor(steps * strength)`. 0.8 by default; 1 with
   * a mask, which then starts from noise alone.
   */
  readonly strength?: number | undefined;
  /**
   * Takes the steps from this fraction of the run's noise on, 0 to 1, in place of `strength`: `image` is what another model
   * left at its `denoisingEnd`, and no noise is added to it. Both models need schedulers of one kind.
   */
  readonly denoisingStart?: number | undefined;
  /** Takes the steps up to this fraction of the run's noise, and leaves the rest to another model. With `output: 'latents'`. */
  readonly denoisingEnd?: number | undefined;
  /** How images of another size come to `width` and `height`: `cover`, `contain`, `stretch`, `crop`. */
  readonly fit?: Fit | undefined;
}

const between = {
  type: 'number',
  check: (option: string, value: unknown) =>
    checkOptional(option, value, typeof value === 'number' && value > 0 && value < 1, 'between 0 and 1'),
};

export const initialImageTable: OptionTable<InitialImageOptions> = {
  image: {
    otherNames: ['init_image', 'init_images', 'init_img'],
    type: 'bytes | RGBA | Tensor',
    text: 'The image to start from: the bytes of a PNG or JPEG file, `ImageData`, RGBA pixels; or latents.',
  },
  mask: {
    otherNames: ['mask_image'],
    type: 'bytes | RGBA',
    text: 'What to repaint: white is repainted, black kept, gray blended.',
  },
  strength: {
    otherNames: ['denoising_strength', 'denoise'],
    type: 'number',
    default: '0.8; 1 with a mask',
    text: 'How much to change the image: the fraction of the steps to run, at least one step.',
  },
  denoisingStart: {
    ...between,
    text: 'Starts at this fraction of the run, between 0 and 1; `image` is what another model left at its `denoisingEnd`.',
  },
  denoisingEnd: {
    ...between,
    text: 'Stops at this fraction of the run, between 0 and 1, and leaves the rest to another model.',
  },
  fit: {
    ...oneOf('cover', 'contain', 'stretch', 'crop'),
    text: 'How to bring images of another size to `width` and `height`; needed only if sizes differ.',
  },
};

/** A second, larger pass. */
export interface UpscaleOptions {
  /** How many times the first pass's width and height, in place of `width` and `height`. */
  readonly factor?: number | undefined;
  /** In pixels; multiples of the VAE's factor. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** How much is denoised again, as `strength` of an image: 0.7 by default. Below about 0.5 it stays blurred. */
  readonly strength?: number | undefined;
  /** Steps of which `strength` is a fraction; the first pass's by default. */
  readonly steps?: number | undefined;
}

export const upscaleTable: OptionTable<UpscaleOptions> = {
  factor: {
    type: 'number',
    text: "Multiplies the first pass's width and height; in place of `width` and `height`.",
    check: (option, value) =>
      checkOptional(option, value, Number.isFinite(value) && (value as number) > 0, 'a number above 0'),
  },
  width: { type: 'number', text: 'In pixels, in place of `factor`.' },
  height: { type: 'number', text: 'In pixels, in place of `factor`.' },
  strength: {
    type: 'number',
    default: '0.7',
    text: 'The fraction of its steps to run. Below about 0.5 the image stays blurred.',
  },
  steps: { ...whole(1), default: "the first pass's", text: 'Steps of which `strength` is a fraction.' },
};

export const upscaleRow = {
  type: '{ factor, width, height, strength, steps }',
  text: 'A second pass that draws the image again at a larger size.',
  check: (option: string, value: unknown) => checkOptions(value, upscaleTable, { of: option, prefix: `${option}.` }),
};

/** Which initial images were given. */
export interface GivenImages {
  readonly hasImage: boolean;
  readonly hasLatents: boolean;
  readonly hasMask: boolean;
}

/** Throws an InvalidOptionError for options that conflict with each other or with the model. */
export function checkInitialImage(
  options: InitialImageOptions & { readonly upscale?: UpscaleOptions | undefined },
  given: GivenImages,
  imageInput: ModelTraits['imageInput'],
): void {
  const refuse = (names: readonly (keyof typeof options)[], why: string) => {
    const name = names.find((option) => options[option] !== undefined);
    if (name !== undefined) throw new InvalidOptionError(name, why);
  };
  const hasStart = given.hasImage || given.hasLatents;
  if (!hasStart) refuse(['mask', 'strength', 'denoisingStart', 'fit'], 'has no effect without an image.');
  if (given.hasLatents) refuse(['mask', 'fit'], 'needs an image, not latents.');
  if (imageInput === 'mask' && !(given.hasImage && given.hasMask)) {
    throw new InvalidOptionError(
      given.hasImage ? 'mask' : 'image',
      'is required: this is an inpainting model, which repaints a region of an image.',
    );
  }
  if (imageInput === 'image') {
    if (!hasStart) throw new InvalidOptionError('image', 'is required: this model changes images (InstructPix2Pix).');
    refuse(
      ['mask', 'strength', 'denoisingStart', 'upscale'],
      'cannot be used with a model that changes images (InstructPix2Pix): it starts from noise.',
    );
  }
}

/** The range of steps that a run takes. Throws an InvalidOptionError. */
export function readStepRange(
  options: InitialImageOptions & { readonly upscale?: UpscaleOptions | undefined },
  { hasImage, hasLatents, hasMask }: GivenImages,
  steps: number,
  { imageInput, stepsFor }: Pick<ModelTraits, 'imageInput' | 'stepsFor'>,
): StepRange {
  const { denoisingStart, denoisingEnd, upscale, strength = hasMask ? 1 : 0.8 } = options;
  for (const name of ['denoisingStart', 'denoisingEnd'] as const) {
    if (options[name] !== undefined && upscale !== undefined) {
      throw new InvalidOptionError(name, 'cannot be combined with upscale.');
    }
  }
  if (denoisingStart !== undefined) {
    if (options.strength !== undefined) {
      throw new InvalidOptionError('strength', 'cannot be combined with denoisingStart, which sets the first step.');
    }
    if (denoisingEnd !== undefined && denoisingStart >= denoisingEnd) {
      throw new InvalidOptionError(
        'denoisingEnd',
        `must be above denoisingStart, ${denoisingStart}, not ${denoisingEnd}.`,
      );
    }
    return { denoisingStart, denoisingEnd };
  }
  if (imageInput === 'image' || !(hasImage || hasLatents)) return { denoisingEnd };
  return { strength, kept: keptSteps('strength', strength, steps, stepsFor), denoisingEnd };
}

/** How many steps a strength keeps. Throws an InvalidOptionError for one that is not from 0 to 1, or that keeps none. */
export function keptSteps(option: string, strength: number, steps: number, stepsFor: ModelTraits['stepsFor']): number {
  checkFraction(option, strength);
  const kept = stepsFor(steps, strength);
  if (kept >= 1) return kept;
  const minimum = Math.ceil(1000 / steps) / 1000;
  throw new InvalidOptionError(
    option,
    `${strength} of ${steps} steps is less than one step: use at least ${minimum}, or more steps.`,
  );
}
