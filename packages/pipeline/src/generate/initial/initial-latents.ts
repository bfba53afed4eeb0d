import { type RandomSource, row, type SamplingPlan, sizeOf, type Tensor, tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import { type EncodedImages, sampleOf } from './encode-images.js';
import type { SizedMask } from './images.js';
import { type KnownRegion, knownRegion } from './known-region.js';
import { latentMask } from './latent-mask.js';
import type { StepRange } from './step-range.js';

export type LatentShape = readonly [channels: number, height: number, width: number];

/** Where the denoising of one picture starts. */
export interface InitialLatents {
  /** The sample at the plan's first level. */
  readonly x: Float32Array;
  /** The region of an image that is kept, for a noise predictor that knows nothing of masks. */
  readonly known?: KnownRegion;
  /** What the noise predictor takes besides the sample: [channels, h, w]. */
  readonly extraChannels?: Tensor<'float32'>;
}

/** Noise as strong as the plan's first level. */
export function latentsFromNoise(noise: Float32Array, { initialSigma }: SamplingPlan): InitialLatents {
  return { x: noise.map((value) => value * initialSigma) };
}

export interface ImageLatentsOptions {
  readonly mask: SizedMask | undefined;
  readonly encoded: EncodedImages;
  readonly range: StepRange;
  /** Which picture of the run, from 0. */
  readonly index: number;
  /** Cut to the range. */
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly random: RandomSource;
  /** Draws the normal noise to start with. */
  noise(): Float32Array;
}

/**
 * Where a run from an image starts. Draws from `random` in the order of diffusers' StableDiffusionImg2ImgPipeline and
 * StableDiffusionInpaintPipeline: a sample of the image's distribution where it is needed, the noise, and with a mask a
 * sample of the masked image's, even for a noise predictor that does not use it. Inpainting at strength 1 starts from noise
 * alone, and so does a model that changes images; a run that another one has begun adds no noise.
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
  const isBegun = range.denoisingStart !== undefined;
  if (isBegun && image !== undefined && mask === undefined) return { x: image };
  const noise = options.noise();
  const maskedDistribution = encoded.masked ?? encoded.image;
  const masked = mask && maskedDistribution && sampleOf(maskedDistribution, index, draw);

  const startsFromNoise = image === undefined || (mask !== undefined && range.strength === 1);
  const x = startsFromNoise
    ? latentsFromNoise(noise, plan).x
    : isBegun
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
