import {
  InvalidOptionError,
  numpyLegacy,
  nvPhilox,
  type RandomSource,
  type RandomSourceFactory,
  type Scheduler,
  type Tensor,
  torchCpu,
} from '@sd/core';
import { checkSeed, describe, fraction, type OptionTable, whole } from '@sd/core/options';
import { seedsFrom } from '../seeds.js';

/** Random number generators by name: torch's on the CPU, as in diffusers; NVIDIA's Philox, as in A1111; NumPy's. */
export const randomSources = { 'torch-cpu': torchCpu, 'nv-philox': nvPhilox, numpy: numpyLegacy } as const;

export interface SamplingOptions {
  /** Number of steps; 20 by default, 28 for Stable Diffusion 3. */
  readonly steps?: number | undefined;
  /** A scheduler in place of the model's: an object, a short name such as `euler`, or the name of a class of diffusers. */
  readonly scheduler?: Scheduler | string | undefined;
  /** Seed of the first image; the next ones count up from it. Random by default, and part of the result. */
  readonly seed?: number | bigint | undefined;
  /** Number of images; 1 by default. */
  readonly count?: number | undefined;
  /** The random number generator; `torch-cpu` by default. Each image has one, for its initial noise and then that of its steps. */
  readonly rng?: keyof typeof randomSources | RandomSourceFactory | undefined;
  /** Initial noise in place of the generator's: standard normal, [1 or count, channels, height / 8, width / 8]. */
  readonly latents?: Tensor<'float32'> | undefined;
  /**
   * Seed of a second noise that `variationStrength` mixes in; random by default. With several images it counts up and
   * `seed` does not, so that they are variations of one image.
   */
  readonly variationSeed?: number | bigint | undefined;
  /** How far to go from the noise of `seed` to that of `variationSeed`, from 0 to 1. */
  readonly variationStrength?: number | undefined;
}

export const samplingTable: OptionTable<SamplingOptions> = {
  steps: {
    otherNames: ['num_inference_steps', 'sampling_steps'],
    ...whole(1),
    default: "20; 28 for Stable Diffusion 3; a distilled model's",
    text: 'How many steps to take.',
  },
  scheduler: {
    otherNames: ['sampler', 'sampler_name', 'sampler_index', 'sampling_method'],
    type: 'Scheduler | string',
    default: "the model's",
    text: "A scheduler object, a short name such as `'dpmpp-2m-karras'`, or the name of a class of diffusers.",
  },
  seed: {
    type: 'number | bigint',
    default: 'random',
    text: 'Seed of the first image; the next ones count up from it.',
    check: checkSeed,
  },
  count: {
    otherNames: ['num_images_per_prompt', 'n', 'batch_size', 'n_iter', 'batch_count'],
    ...whole(1),
    default: '1',
    text: 'How many images.',
  },
  rng: {
    otherNames: ['generator'],
    type: "'torch-cpu' | 'nv-philox' | 'numpy' | function",
    default: "'torch-cpu'",
    text: "The random number generator: diffusers' on the CPU, A1111's, NumPy's, or your own `(seed) => RandomSource`.",
  },
  latents: {
    type: 'Tensor',
    text: 'Initial noise in place of generated noise: standard normal, [1 or count, channels, height / 8, width / 8].',
  },
  variationSeed: {
    otherNames: ['subseed'],
    type: 'number | bigint',
    default: 'random',
    text: 'Seed of the noise that `variationStrength` mixes in.',
    check: checkSeed,
  },
  variationStrength: {
    otherNames: ['subseed_strength'],
    ...fraction,
    text: 'From 0 to 1: how far to go from the noise of `seed` to that of `variationSeed`.',
  },
};

/** Variations of a seed: for each image, the seed of the second noise and its generator. */
export interface Variation {
  readonly strength: number;
  readonly seeds: readonly (number | bigint)[];
  readonly random: ImageRandom;
}

/** The generator of an image by its index. Only the latest is kept, since each image is finished before the next. */
export type ImageRandom = (imageIndex: number) => RandomSource;

export interface Seeds {
  readonly seeds: readonly (number | bigint)[];
  readonly random: ImageRandom;
  /** Creates a generator. */
  readonly rng: RandomSourceFactory;
  readonly variation: Variation | undefined;
}

/** The seeds and generators of a request. Throws an InvalidOptionError. */
export function readSeeds(options: SamplingOptions): Seeds {
  const { count = 1, seed, rng = 'torch-cpu' } = options;
  const random = randomSourceOf(rng);
  const variation = readVariation(options, count, random);
  const counted = seedsFrom('seed', seed, count);
  const seeds = variation === undefined ? counted : counted.fill(counted[0]);
  return { seeds, random: randomOf(seeds, random), rng: random, variation };
}

function readVariation(options: SamplingOptions, count: number, random: RandomSourceFactory): Variation | undefined {
  const { variationSeed, variationStrength: strength } = options;
  if (strength === undefined) {
    if (variationSeed === undefined) return undefined;
    throw new InvalidOptionError('variationSeed', 'needs a variationStrength, from 0 to 1.');
  }
  const seeds = seedsFrom('variationSeed', variationSeed, count);
  return { strength, seeds, random: randomOf(seeds, random) };
}

/** Also makes the last generator, to throw an InvalidOptionError at once if its seed is too large. */
function randomOf(seeds: readonly (number | bigint)[], create: RandomSourceFactory): ImageRandom {
  const last = seeds.length - 1;
  let held = { index: last, source: create(seeds[last]) };
  return (index) => {
    if (held.index !== index) held = { index, source: create(seeds[index]) };
    return held.source;
  };
}

function randomSourceOf(rng: NonNullable<SamplingOptions['rng']>): RandomSourceFactory {
  if (typeof rng === 'function') return rng;
  if (typeof rng === 'string' && Object.hasOwn(randomSources, rng)) return randomSources[rng];
  const names = Object.keys(randomSources).join(', ');
  throw new InvalidOptionError('rng', `is ${describe(rng)}, but must be one of ${names}, or a function.`);
}
