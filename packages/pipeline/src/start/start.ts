import { type RandomSource, type SamplingPlan, sizeOf, type Tensor, tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import { latentMask } from '../picture/index.js';
import { type EncodedPictures, sampled } from './encode-pictures.js';
import { type Keeper, keepOutside } from './keep.js';
import type { SizedPictures } from './pictures.js';

export type LatentShape = readonly [channels: number, height: number, width: number];

/** Where the denoising of one picture starts. */
export interface Start {
  /** The sample at the plan's first level. */
  readonly x: Float32Array;
  /** What is kept of a picture, for a U-Net that knows nothing of masks. */
  readonly keeper?: Keeper;
  /** What the U-Net is shown beside the sample: [channels, h, w]. */
  readonly beside?: Tensor<'float32'>;
}

/** A run without a picture: noise as strong as the plan says. */
export function startFromNoise(noise: Float32Array, { initialSigma }: SamplingPlan): Start {
  return { x: noise.map((value) => value * initialSigma) };
}

export interface PictureStartOptions {
  readonly pictures: SizedPictures;
  readonly encoded: EncodedPictures;
  readonly strength: number;
  /** Cut to the strength. */
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly random: RandomSource;
  /** The normal noise to start with, drawn when it is called. */
  readonly noise: () => Float32Array;
}

/**
 * A run from a picture. Draws from `random` in the order of diffusers' StableDiffusionImg2ImgPipeline and
 * StableDiffusionInpaintPipeline: the picture's posterior where it is needed, the noise, and with a mask the masked
 * picture's posterior, also for a U-Net that has no use for it. Inpainting at strength 1 starts from noise alone.
 */
export function startFromPicture(options: PictureStartOptions): Start {
  const { pictures, encoded, strength, plan, shape, random } = options;
  const { mask } = pictures;
  const [channels, height, width] = shape;
  const size = sizeOf(shape);
  const image = encoded.image && sampled(encoded.image, random.randn(size));
  const noise = options.noise();
  const maskedNoise = mask && random.randn(size);

  const fromNoise = image === undefined || (mask !== undefined && strength === 1);
  const { x } = fromNoise ? startFromNoise(noise, plan) : { x: addNoise(image, noise, plan.levels[0]!) };
  if (mask === undefined || maskedNoise === undefined) return { x };

  if (encoded.masked !== undefined) {
    const data = new Float32Array((1 + channels) * height * width);
    data.set(latentMask(mask.hard, height, width).data);
    data.set(sampled(encoded.masked, maskedNoise), height * width);
    return { x, beside: tensor('float32', [1 + channels, height, width], data) };
  }
  if (image === undefined) return { x };
  const soft = latentMask(mask.soft, height, width).data;
  return { x, keeper: keepOutside({ image, noise, mask: soft }) };
}
