import {
  InvalidOptionError,
  type RandomSource,
  type RandomSourceFactory,
  type SamplingPlan,
  type Scheduler,
  type Tensor,
} from '@sd/core';
import type { Fit, ImageInput } from '@sd/image';
import { checkOptional, checkPart, checkSide, checkText, checkWhole, describe } from '../checks.js';
import { seedsFrom } from '../seeds.js';
import type { StageFacts } from '../stage-facts.js';
import { lastSteps, type RunPart, stepsFor } from './cut.js';
import { type ReadPictures, type SizedPictures, sizePictures } from './pictures.js';

/** A second, larger pass. */
export interface UpscaleOptions {
  /** How many times the first pass's width and height, in place of `width` and `height`. */
  readonly factor?: number;
  /** In pixels; multiples of the VAE's factor. */
  readonly width?: number;
  readonly height?: number;
  /** How much is denoised again, as in `GenerateOptions.strength`: 0.7 by default. Below about 0.5 it stays blurred. */
  readonly strength?: number;
  /** Steps of which `strength` is a part; the first pass's by default. */
  readonly steps?: number;
}

/** Another prompt to go some of the way to. */
export interface BlendOptions {
  /** The run's own if left out. */
  readonly prompt?: string;
  readonly negativePrompt?: string;
  /** How far: 0 is the run's prompt, 1 the other. */
  readonly amount: number;
}

/** The options that say where a run starts. */
export interface StartOptions {
  /**
   * The picture to start from: the bytes of a PNG or JPEG file, ImageData, or RGBA pixels; or latents [count or 1, channels,
   * height / 8, width / 8], such as `output: 'latents'` gives. `width` and `height` are its own if they are not given.
   */
  readonly image?: ImageInput | Tensor<'float32'>;
  /**
   * What to repaint of it: white is repainted, black kept. Grays mix, unless the U-Net is one for inpainting (of 9
   * channels), for which they are cut at half, as diffusers cuts them for all.
   */
  readonly mask?: ImageInput;
  /**
   * How much to change the picture: the part of the steps that is taken, `floor(steps * strength)`. 0.8 by default; 1 with
   * a mask, which then starts from noise alone.
   */
  readonly strength?: number;
  /**
   * Takes the steps from this part of the run's noise on, 0 to 1, in place of `strength`: `image` is what another model left
   * at its `denoisingEnd`, and no noise is added to it. Both models need schedulers of one kind.
   */
  readonly denoisingStart?: number;
  /** Takes the steps up to this part of the run's noise, and leaves the rest for another model. With `output: 'latents'`. */
  readonly denoisingEnd?: number;
  /** How pictures come to `width` and `height`, where they have another size: `cover`, `contain`, `stretch`, `crop`. */
  readonly fit?: Fit;
  /**
   * Seed of a second noise that `variationStrength` mixes in; random by default. With several pictures it counts up, and
   * `seed` does not: they are variations of one picture.
   */
  readonly variationSeed?: number | bigint;
  /** How far to go from the noise of `seed` to that of `variationSeed`, 0 to 1. */
  readonly variationStrength?: number;
  /** Draws the picture again at a larger size, from the first pass's latents. */
  readonly upscale?: UpscaleOptions;
  /** Another prompt, and how far to go to it: their embeddings are mixed. */
  readonly blend?: BlendOptions;
}

export const startOptions: readonly string[] = [
  'image',
  'mask',
  'strength',
  'denoisingStart',
  'denoisingEnd',
  'fit',
  'variationSeed',
  'variationStrength',
  'upscale',
  'blend',
] satisfies (keyof StartOptions)[];

/** Variations of a seed: for each picture the seed of the other noise, and what draws it. */
export interface Variation {
  readonly strength: number;
  readonly seeds: readonly (number | bigint)[];
  readonly random: readonly RandomSource[];
}

export interface Upscale {
  readonly width: number;
  readonly height: number;
  readonly strength: number;
  readonly steps: number;
  /** Cut to the strength. */
  readonly plan: SamplingPlan;
}

/** Where a run starts, checked and filled in. */
export interface StartRequest {
  readonly pictures: SizedPictures | undefined;
  /** In place of a picture. */
  readonly latents: Tensor<'float32'> | undefined;
  readonly part: RunPart;
  readonly variation: Variation | undefined;
  readonly upscale: Upscale | undefined;
  readonly blend: BlendOptions | undefined;
}

/** What else of a request is known by then. */
export interface StartContext {
  readonly read: ReadPictures;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly count: number;
  readonly scheduler: Scheduler;
  readonly random: RandomSourceFactory;
  /** Pixels a side for each latent. */
  readonly factor: number;
  readonly shown: StageFacts['shown'];
}

/** Checks the options that say where a run starts, and fills in the rest. Throws an InvalidOptionError. */
export function readStart(options: StartOptions, context: StartContext): StartRequest {
  const { read, width, height, shown } = context;
  const given = read.image !== undefined || read.latents !== undefined;
  if (!given) {
    for (const name of ['mask', 'strength', 'denoisingStart', 'fit'] as const) {
      if (options[name] !== undefined) throw new InvalidOptionError(name, 'has no meaning without an image.');
    }
  }
  if (read.latents !== undefined) {
    for (const name of ['mask', 'fit'] as const) {
      if (options[name] !== undefined) throw new InvalidOptionError(name, 'needs a picture as image, not latents.');
    }
  }
  if (shown === 'mask') {
    const missing = read.image === undefined ? 'image' : read.mask === undefined ? 'mask' : undefined;
    const why = 'is needed: the model’s U-Net is one for inpainting, which repaints a part of a picture.';
    if (missing !== undefined) throw new InvalidOptionError(missing, why);
  }
  if (shown === 'picture') checkChange(options, given);
  return {
    pictures: read.image && sizePictures(read.image, read.mask, { width, height, fit: options.fit }),
    latents: read.latents,
    part: readPart(options, context),
    variation: readVariation(options, context),
    upscale: readUpscale(options, context),
    blend: readBlend(options.blend),
  };
}

/** A model that changes pictures starts from noise, whatever the picture. */
function checkChange(options: StartOptions, given: boolean): void {
  if (!given) throw new InvalidOptionError('image', 'is needed: the model’s U-Net is one that changes pictures.');
  for (const name of ['mask', 'strength', 'denoisingStart', 'upscale'] as const) {
    if (options[name] === undefined) continue;
    throw new InvalidOptionError(name, 'does not go with a model that changes pictures: it draws them anew.');
  }
}

function readPart(options: StartOptions, { read, steps, shown }: StartContext): RunPart {
  const { denoisingStart, denoisingEnd, upscale } = options;
  const { strength = read.mask === undefined ? 0.8 : 1 } = options;
  for (const name of ['denoisingStart', 'denoisingEnd'] as const) {
    const part = options[name];
    checkOptional(name, part, typeof part === 'number' && part > 0 && part < 1, 'between 0 and 1');
    if (part !== undefined && upscale !== undefined) {
      throw new InvalidOptionError(name, 'does not go with upscale, whose second pass has steps of its own.');
    }
  }
  if (denoisingStart !== undefined) {
    if (options.strength !== undefined) {
      throw new InvalidOptionError('strength', 'does not go with denoisingStart, which says where to start.');
    }
    if (denoisingEnd !== undefined && denoisingStart >= denoisingEnd) {
      throw new InvalidOptionError(
        'denoisingEnd',
        `must be above denoisingStart, ${denoisingStart}, not ${denoisingEnd}.`,
      );
    }
  }
  const end = { ...(denoisingEnd !== undefined && { denoisingEnd }) };
  if (denoisingStart !== undefined) return { denoisingStart, ...end };
  if (shown === 'picture' || (read.image === undefined && read.latents === undefined)) return end;
  checkStrength('strength', strength, steps);
  return { strength, ...end };
}

function checkStrength(option: string, strength: unknown, steps: number): void {
  checkPart(option, strength);
  if (stepsFor(steps, strength) < 1) {
    const least = Math.ceil(1000 / steps) / 1000;
    throw new InvalidOptionError(
      option,
      `${strength} of ${steps} steps is less than one step: at least ${least} is needed, or more steps.`,
    );
  }
}

function readVariation(options: StartOptions, { count, random }: StartContext): Variation | undefined {
  const { variationSeed, variationStrength: strength } = options;
  if (strength === undefined) {
    if (variationSeed === undefined) return undefined;
    throw new InvalidOptionError('variationSeed', 'needs a variationStrength, from 0 to 1.');
  }
  checkPart('variationStrength', strength);
  const seeds = seedsFrom('variationSeed', variationSeed, count);
  return { strength, seeds, random: seeds.map((seed) => random(seed)) };
}

const upscaleOptions: readonly string[] = [
  'factor',
  'width',
  'height',
  'strength',
  'steps',
] satisfies (keyof UpscaleOptions)[];

function readUpscale({ upscale, mask }: StartOptions, context: StartContext): Upscale | undefined {
  if (upscale === undefined) return undefined;
  checkObject('upscale', upscale, upscaleOptions);
  if (mask !== undefined) {
    throw new InvalidOptionError('upscale', 'does not go with a mask: draw first, then upscale with a run of its own.');
  }
  const { factor, strength = 0.7, steps = context.steps } = upscale;
  const sides = [upscale.width, upscale.height].filter((side) => side !== undefined).length;
  if (sides !== (factor === undefined ? 2 : 0)) {
    throw new InvalidOptionError('upscale', 'must have a factor, or a width and a height, and not both.');
  }
  checkOptional('upscale.factor', factor, Number.isFinite(factor) && factor! > 0, 'a number above 0');
  const { width = context.width * (factor ?? 1), height = context.height * (factor ?? 1) } = upscale;
  checkSide('upscale.width', width, context.factor);
  checkSide('upscale.height', height, context.factor);
  checkWhole('upscale.steps', steps, 1);
  checkStrength('upscale.strength', strength, steps);
  const plan = lastSteps(context.scheduler.plan(steps), steps, stepsFor(steps, strength));
  return { width, height, strength, steps, plan };
}

const blendOptions: readonly string[] = ['prompt', 'negativePrompt', 'amount'] satisfies (keyof BlendOptions)[];

function readBlend(blend: BlendOptions | undefined): BlendOptions | undefined {
  if (blend === undefined) return undefined;
  checkObject('blend', blend, blendOptions);
  if (blend.prompt !== undefined) checkText('blend.prompt', blend.prompt);
  if (blend.negativePrompt !== undefined) checkText('blend.negativePrompt', blend.negativePrompt);
  checkPart('blend.amount', blend.amount);
  return blend;
}

function checkObject(option: string, value: object, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null) {
    throw new InvalidOptionError(option, `must be an object with ${known.join(', ')}, not ${describe(value)}.`);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name))
      throw new InvalidOptionError(`${option}.${name}`, `is unknown. There are ${known.join(', ')}.`);
  }
}
