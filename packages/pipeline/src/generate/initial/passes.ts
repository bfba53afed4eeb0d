import { type RandomSource, row, type SamplingPlan, sizeOf, type Tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import type { Request, Upscale } from '../request.js';
import type { EncodedImages } from './encode-images.js';
import { type InitialLatents, type LatentShape, latentsFromImage, latentsFromNoise } from './initial-latents.js';
import { resizeLatents } from './resize-latents.js';
import { slerp } from './slerp.js';

/** One pass from initial latents to finished ones. Each image takes one, or with `upscale` two. */
export interface Pass {
  /** 0, or 1 for the second, larger pass. */
  readonly index: 0 | 1;
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly initial: InitialLatents;
  /** Index of its first step, counted over both passes. */
  readonly firstStep: number;
}

/** Number of steps per image, both passes together. */
export function totalSteps({ plan, upscale }: Request): number {
  return plan.stepCount + (upscale?.plan.stepCount ?? 0);
}

/** The first pass, from noise or from an image. */
export function firstPass(
  request: Request,
  imageIndex: number,
  shape: LatentShape,
  encoded: EncodedImages | undefined,
): Pass {
  const { plan } = request;
  const { images, range } = request.initial;
  const random = request.random(imageIndex);
  const noise = () => initialNoise(request, imageIndex, shape, random);
  const initial =
    encoded === undefined
      ? latentsFromNoise(noise(), plan)
      : latentsFromImage({ mask: images?.mask, encoded, range, index: imageIndex, plan, shape, random, noise });
  return { index: 0, plan, shape, initial, firstStep: 0 };
}

/** The second pass, from the first one's enlarged latents and fresh noise of `random`. */
export function secondPass(
  first: Pass,
  latents: Tensor<'float32'>,
  { plan }: Upscale,
  [height, width]: readonly [height: number, width: number],
  random: RandomSource,
): Pass {
  const shape = [first.shape[0], height, width] as const;
  const enlarged = resizeLatents(latents, height, width);
  const x = addNoise(enlarged.data, random.randn(sizeOf(shape)), plan.levels[0]);
  return { index: 1, plan, shape, initial: { x }, firstStep: first.plan.stepCount };
}

/** The caller's noise or the generator's; for variations, interpolated with the second seed's noise. */
function initialNoise(request: Request, imageIndex: number, shape: LatentShape, random: RandomSource): Float32Array {
  const { noise: given, variation } = request;
  const noise =
    given === undefined ? random.randn(sizeOf(shape)) : row(given, given.dims[0] === 1 ? 0 : imageIndex).data;
  if (variation === undefined || variation.strength === 0) return noise;
  return slerp(noise, variation.random(imageIndex).randn(sizeOf(shape)), variation.strength, shape);
}
