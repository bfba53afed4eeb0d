import { type RandomSource, row, type SamplingPlan, sizeOf, type Tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import type { Request } from '../options.js';
import type { EncodedPictures } from './encode-pictures.js';
import { slerp } from './mix.js';
import type { Upscale } from './options.js';
import { resizeLatents } from './resize-latents.js';
import { type LatentShape, type Start, startFromNoise, startFromPicture } from './start.js';

/** One walk from noise to latents. A run has one, or a second one at a larger size. */
export interface Pass {
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly start: Start;
  /** Its first step's number in the run. */
  readonly firstStep: number;
}

/** How many steps a run has, both passes together. */
export function stepsOf({ plan, start }: Request): number {
  return plan.stepCount + (start.upscale?.plan.stepCount ?? 0);
}

/** The first pass of picture `image`: from noise, or from a picture. */
export function firstPass(
  request: Request,
  image: number,
  shape: LatentShape,
  encoded: EncodedPictures | undefined,
): Pass {
  const { plan } = request;
  const { pictures, part } = request.start;
  const random = request.random[image]!;
  const noise = () => startingNoise(request, image, shape, random);
  const start =
    encoded === undefined
      ? startFromNoise(noise(), plan)
      : startFromPicture({ mask: pictures?.mask, encoded, part, index: image, plan, shape, random, noise });
  return { plan, shape, start, firstStep: 0 };
}

/** A pass over the latents that the first one came to, made larger; its noise is the generator's next. */
export function secondPass(
  first: Pass,
  latents: Tensor<'float32'>,
  { plan }: Upscale,
  [height, width]: readonly [height: number, width: number],
  random: RandomSource,
): Pass {
  const shape = [first.shape[0], height, width] as const;
  const larger = resizeLatents(latents, height, width);
  const x = addNoise(larger.data, random.randn(sizeOf(shape)), plan.levels[0]!);
  return { plan, shape, start: { x }, firstStep: first.plan.stepCount };
}

/** The caller's noise or the generator's, and of a variation the other seed's mixed in. */
function startingNoise(request: Request, image: number, shape: LatentShape, random: RandomSource): Float32Array {
  const { latents } = request;
  const { variation } = request.start;
  const noise =
    latents === undefined ? random.randn(sizeOf(shape)) : row(latents, latents.dims[0] === 1 ? 0 : image).data;
  if (variation === undefined || variation.strength === 0) return noise;
  return slerp(noise, variation.random[image]!.randn(sizeOf(shape)), variation.strength, shape);
}
