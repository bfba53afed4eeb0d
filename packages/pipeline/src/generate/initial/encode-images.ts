import { type LatentDistribution, row, sizeOf, type Tensor, tensor, UnsupportedError, type Vae } from '@sd/core';
import type { ModelTraits } from '../model-traits.js';
import type { InitialState } from '../request.js';

/** The initial images of a run as the VAE encoded them. Each generated image draws its own sample from the distributions. */
export interface EncodedImages {
  /** Undefined if the run starts from noise alone. */
  readonly image?: LatentDistribution | undefined;
  /** The image with the masked region blanked, for inpainting models. */
  readonly masked?: LatentDistribution | undefined;
  /** The image to edit, as unscaled latents [1, channels, h, w], for InstructPix2Pix models. */
  readonly condition?: Tensor<'float32'> | undefined;
}

export interface EncodeImagesOptions {
  readonly imageInput: ModelTraits['imageInput'];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Encodes a run's images with the VAE; latents are taken as they are. Returns undefined for a run without an image. Rejects
 * with an UnsupportedError if the VAE has no encoder.
 */
export async function encodeImages(
  vae: Vae,
  { images, latents, range }: InitialState,
  { imageInput, signal }: EncodeImagesOptions,
): Promise<EncodedImages | undefined> {
  if (latents !== undefined) return imageInput === 'image' ? { condition: latents } : { image: { mean: latents } };
  if (images === undefined) return undefined;
  const { image, mask } = images;
  if (imageInput === 'image') return { condition: await encodeUnscaled(vae, image, signal) };
  const repainted = imageInput === 'mask' ? mask?.hard : undefined;
  const startsFromNoise = repainted !== undefined && range.strength === 1;
  return {
    image: startsFromNoise ? undefined : await encode(vae, image, signal),
    masked: repainted && (await encode(vae, blankRegion(image, repainted), signal)),
  };
}

async function encode(
  vae: Vae,
  image: Tensor<'float32'>,
  signal: AbortSignal | undefined,
): Promise<LatentDistribution> {
  if (vae.encode === undefined) {
    throw new UnsupportedError('The VAE has no encode(), which runs that start from an image need.');
  }
  return vae.encode(image, { signal });
}

async function encodeUnscaled(vae: Vae, image: Tensor<'float32'>, signal: AbortSignal | undefined) {
  const { unscaled } = await encode(vae, image, signal);
  if (unscaled !== undefined) return unscaled;
  throw new UnsupportedError('The VAE’s encode() returns no unscaled latents, which InstructPix2Pix models need.');
}

/** The image with 0, a medium gray, where the mask is 1. */
function blankRegion(image: Tensor<'float32'>, mask: Tensor<'float32'>): Tensor<'float32'> {
  const size = sizeOf(mask.dims);
  return tensor(
    'float32',
    image.dims,
    image.data.map((value, i) => (mask.data[i % size] === 1 ? 0 : value)),
  );
}

/**
 * Draws a sample of a distribution, `mean + std * noise`: diffusers' `latent_dist.sample(generator)`, scaled. Without `std`,
 * takes the mean's row for the image with this index, and draws no noise.
 */
export function sampleOf({ mean, std }: LatentDistribution, index: number, noise: () => Float32Array): Float32Array {
  if (std === undefined) return row(mean, mean.dims[0] === 1 ? 0 : index).data;
  const normal = noise();
  return mean.data.map((value, i) => value + std.data[i] * normal[i]);
}
