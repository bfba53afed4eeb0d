import { type RandomSource, row, type SamplingPlan, sizeOf, type Tensor, tensor } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import type { RunPart } from './cut.js';
import { type EncodedPictures, sampled } from './encode-pictures.js';
import { type Keeper, keepOutside } from './keep.js';
import { latentMask } from './latent-mask.js';
import type { SizedMask } from './pictures.js';

export type LatentShape = readonly [channels: number, height: number, width: number];

/** Where the denoising of one picture starts. */
export interface Start {
  /** The sample at the plan's first level. */
  readonly x: Float32Array;
  /** What is kept of a picture, for a U-Net that knows nothing of masks. */
  readonly keeper?: Keeper;
  /** What the U-Net is shown beside the sample: [channels, h, w]. */
  readonly extraChannels?: Tensor<'float32'>;
}

/** A run without a picture: noise as strong as the plan says. */
export function startFromNoise(noise: Float32Array, { initialSigma }: SamplingPlan): Start {
  return { x: noise.map((value) => value * initialSigma) };
}

export interface PictureStartOptions {
  readonly mask: SizedMask | undefined;
  readonly encoded: EncodedPictures;
  readonly part: RunPart;
  /** Which picture of the run. */
  readonly index: number;
  /** Cut to the part. */
  readonly plan: SamplingPlan;
  readonly shape: LatentShape;
  readonly random: RandomSource;
  /** The normal noise to start with, drawn when it is called. */
  readonly noise: () => Float32Array;
}

/**
 * A run from a picture. Draws from `random` in the order of diffusers' StableDiffusionImg2ImgPipeline and
 * StableDiffusionInpaintPipeline: the picture's posterior where it is needed, the noise, and with a mask the masked
 * picture's posterior, also for a U-Net that has no use for it. Inpainting at strength 1 starts from noise alone, and so does
 * a model that changes pictures; a run that another one has begun adds none.
 */
export function startFromPicture(options: PictureStartOptions): Start {
  const { mask, encoded, part, index, plan, shape, random } = options;
  const [channels, height, width] = shape;
  const draw = () => random.randn(sizeOf(shape));
  if (encoded.shown !== undefined) {
    return {
      ...startFromNoise(options.noise(), plan),
      extraChannels: row(encoded.shown, encoded.shown.dims[0] === 1 ? 0 : index),
    };
  }
  const image = encoded.image && sampled(encoded.image, index, draw);
  const begun = part.denoisingStart !== undefined;
  if (begun && image !== undefined && mask === undefined) return { x: image };
  const noise = options.noise();
  const masked = encoded.masked ?? encoded.image;
  const unseen = mask && masked && sampled(masked, index, draw);

  const fromNoise = image === undefined || (mask !== undefined && part.strength === 1);
  const x = fromNoise ? startFromNoise(noise, plan).x : begun ? image : addNoise(image, noise, plan.levels[0]!);
  if (mask === undefined || unseen === undefined) return { x };

  if (encoded.masked !== undefined) {
    const data = new Float32Array((1 + channels) * height * width);
    data.set(latentMask(mask.hard, height, width).data);
    data.set(unseen, height * width);
    return { x, extraChannels: tensor('float32', [1 + channels, height, width], data) };
  }
  if (image === undefined) return { x };
  const soft = latentMask(mask.soft, height, width).data;
  return { x, keeper: keepOutside({ image, noise, mask: soft }) };
}
