import { type RandomSource, row, type SamplingPlan, sizeOf, type Tensor, tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import { type EncodedImages, sampleOf } from './encode-images.js';
import type { SizedMask } from './images.js';
import { type KnownRegion, knownRegion } from './known-region.js';
import { latentMask } from './latent-mask.js';
import type { StepRange } from './step-range.js';

export type LatentShape = readonly [channels: number, height: number, width: number];

/** What the denoising of one image or clip starts from. */
export interface InitialLatents {
  /** The sample at the plan's first level. */
  readonly x: Float32Array;
  /** The region to keep, when inpainting with a model that has no mask input. */
  readonly known?: KnownRegion;
  /** Channels that the noise predictor takes in addition to the sample's, [channels, h, w]. */
  readonly extraChannels?: Tensor<'float32'>;
}

/** Noise scaled to the plan's first level. */
export function latentsFromNoise(noise: Float32Array, { initialSigma }: SamplingPlan): InitialLatents {
  return { x: noise.map((value) => value * initialSigma) };
}

export interface ImageLatentsOptions {
  readonly mask: SizedMask | undefined;
  readonly encoded: EncodedImages;
  readonly range: StepRange;
  /** Index of the image in the run, from 0. */
  readonly index: number;
  /** Already limited to `range`. */
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly random: RandomSource;
  /** Draws the initial noise, of unit variance. */
  noise(): Float32Array;
}

/**
 * The initial latents of a run that starts from an image. Draws from `random` in the order of diffusers'
 * StableDiffusionImg2ImgPipeline and StableDiffusionInpaintPipeline: a sample of the image's distribution if needed, the
 * noise, and with a mask a sample of the masked image's distribution, even if the model does not use it. Inpainting at
 * strength 1 and InstructPix2Pix start from noise alone; with `denoisingStart`, no noise is added.
 */
export function latentsFromImage(options: ImageLatentsOptions): InitialLatents {
  const { mask, encoded, range, index, plan, shape, random } = options;
  const { condition } = encoded;
  if (condition !== undefined) {
    const extraChannels = row(condition, condition.dims[0] === 1 ? 0 : index);
    return { ...latentsFromNoise(options.noise(), plan), extraChannels };
  }
  const draw = () => random.randn(sizeOf(shape));
  const image = encoded.image && sampleOf(encoded.image, index, draw);
  const continuesRun = range.denoisingStart !== undefined;
  if (continuesRun && image !== undefined && mask === undefined) return { x: image };
  const noise = options.noise();
  const maskedDistribution = encoded.masked ?? encoded.image;
  const masked = mask && maskedDistribution && sampleOf(maskedDistribution, index, draw);

  const startsFromNoise = image === undefined || (mask !== undefined && range.strength === 1);
  const x = startsFromNoise
    ? latentsFromNoise(noise, plan).x
    : continuesRun
      ? image
      : addNoise(image, noise, plan.levels[0]);
  if (mask === undefined || masked === undefined) return { x };
  if (encoded.masked !== undefined) return { x, extraChannels: maskChannels(mask, masked, shape) };
  if (image === undefined) return { x };
  const [, height, width] = shape;
  return { x, known: knownRegion({ image, noise, mask: latentMask(mask.soft, height, width).data }) };
}

/** An inpainting model's extra channels: the mask, and the latents of the masked image. */
function maskChannels(mask: SizedMask, masked: Float32Array, [channels, height, width]: LatentShape) {
  const data = new Float32Array((1 + channels) * height * width);
  data.set(latentMask(mask.hard, height, width).data);
  data.set(masked, height * width);
  return tensor('float32', [1 + channels, height, width], data);
}
