import { type LatentDistribution, sizeOf, type Tensor, tensor, UnsupportedError, type Vae } from '@sd/core';
import type { SizedPictures } from './pictures.js';

/** What the VAE's encoder says of a run's pictures: distributions, which each picture that is made draws from anew. */
export interface EncodedPictures {
  /** Left out where the run starts from noise alone and the model is shown the picture beside the sample. */
  readonly image: LatentDistribution | undefined;
  /** The picture without what is repainted, for a U-Net that is shown it. */
  readonly masked: LatentDistribution | undefined;
}

export interface EncodePicturesOptions {
  /** Does the U-Net take the mask and the masked picture beside the sample? */
  readonly beside: boolean;
  readonly strength: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs the VAE's encoder. Rejects with an UnsupportedError for a VAE without one. */
export async function encodePictures(
  vae: Vae,
  { image, mask }: SizedPictures,
  { beside, strength, signal }: EncodePicturesOptions,
): Promise<EncodedPictures> {
  if (vae.encode === undefined) {
    throw new UnsupportedError('The VAE has no encode(), which a run that starts from a picture needs.');
  }
  const options = { ...(signal !== undefined && { signal }) };
  const shown = beside && mask !== undefined;
  return {
    image: shown && strength === 1 ? undefined : await vae.encode(image, options),
    masked: shown ? await vae.encode(without(image, mask.hard), options) : undefined,
  };
}

/** The picture with 0, a middle gray, where it is repainted. */
function without(image: Tensor<'float32'>, mask: Tensor<'float32'>): Tensor<'float32'> {
  const size = sizeOf(mask.dims);
  return tensor(
    'float32',
    image.dims,
    image.data.map((value, i) => (mask.data[i % size] === 1 ? 0 : value)),
  );
}

/** A sample, `mean + std * noise`: diffusers' `latent_dist.sample(generator)`, scaled. */
export function sampled({ mean, std }: LatentDistribution, noise: Float32Array): Float32Array {
  return mean.data.map((value, i) => value + std.data[i]! * noise[i]!);
}
