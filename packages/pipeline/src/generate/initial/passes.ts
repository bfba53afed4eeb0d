import { type RandomSource, row, type SamplingPlan, sizeOf, type Tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import type { Request, Upscale } from '../request.js';
import type { EncodedImages } from './encode-images.js';
import { type InitialLatents, type LatentShape, latentsFromImage, latentsFromNoise } from './initial-latents.js';
import { resizeLatents } from './resize-latents.js';
import { slerp } from './slerp.js';

/** One walk from noise to latents. A run has one for each picture, or a second one at a larger size. */
export interface Pass {
  /** 0, or 1 for the second, larger one. */
  readonly index: 0 | 1;
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly initial: InitialLatents;
  /** The index of its first step in the run. */
  readonly firstStep: number;
}

/** How many steps a run takes for a picture, both passes together. */
export function totalSteps({ plan, upscale }: Request): number {
  return plan.stepCount + (upscale?.plan.stepCount ?? 0);
}

/** The first pass of a picture: from noise, or from an image. */
export function firstPass(
  request: Request,
  picture: number,
  shape: LatentShape,
  encoded: EncodedImages | undefined,
): Pass {
  const { plan } = request;
  const { images, range } = request.initial;
  const random = request.random[picture];
  const noise = () => initialNoise(request, picture, shape, random);
  const initial =
    encoded === undefined
      ? latentsFromNoise(noise(), plan)
      : latentsFromImage({ mask: images?.mask, encoded, range, index: picture, plan, shape, random, noise });
  return { index: 0, plan, shape, initial, firstStep: 0 };
}

/** A pass over the first one's latents, enlarged; its noise is the generator's next. */
export function secondPass(
  first: Pass,
  latents: Tensor<'float32'>,
  { plan }: Upscale,
  [height, width]: readonly [height: number, width: number],
  random: RandomSource,
): Pass {
  const shape = [first.shape[0], height, width] as const;
  const larger = resizeLatents(latents, height, width);
  const x = addNoise(larger.data, random.randn(sizeOf(shape)), plan.levels[0]);
  return { index: 1, plan, shape, initial: { x }, firstStep: first.plan.stepCount };
}

/** The caller's noise or the generator's; of a variation, with the second seed's mixed in. */
function initialNoise(request: Request, picture: number, shape: LatentShape, random: RandomSource): Float32Array {
  const { noise: given, variation } = request;
  const noise = given === undefined ? random.randn(sizeOf(shape)) : row(given, given.dims[0] === 1 ? 0 : picture).data;
  if (variation === undefined || variation.strength === 0) return noise;
  return slerp(noise, variation.random[picture].randn(sizeOf(shape)), variation.strength, shape);
}
