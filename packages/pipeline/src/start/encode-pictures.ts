import { type LatentDistribution, row, sizeOf, type Tensor, tensor, UnsupportedError, type Vae } from '@sd/core';
import type { StageFacts } from '../stage-facts.js';
import type { StartRequest } from './options.js';

/** What the VAE's encoder says of a run's pictures: distributions, which each picture that is made draws from anew. */
export interface EncodedPictures {
  /** Left out where the run starts from noise alone and the model is shown the picture beside the sample. */
  readonly image: LatentDistribution | undefined;
  /** The picture without what is repainted, for a U-Net that is shown it. */
  readonly masked: LatentDistribution | undefined;
  /** The picture that the U-Net is to change, [1, channels, h, w], in the encoder's own space. */
  readonly shown: Tensor<'float32'> | undefined;
}

export interface EncodePicturesOptions {
  /** What the U-Net takes beside the sample. */
  readonly shown: StageFacts['shown'];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the VAE's encoder, but for latents. Rejects with an UnsupportedError for a VAE without one; undefined for a run
 * without a picture.
 */
export async function encodePictures(
  vae: Vae,
  { pictures, latents, part }: Pick<StartRequest, 'pictures' | 'latents' | 'part'>,
  { shown, signal }: EncodePicturesOptions,
): Promise<EncodedPictures | undefined> {
  const nothing = { image: undefined, masked: undefined, shown: undefined };
  if (latents !== undefined) {
    return shown === 'picture' ? { ...nothing, shown: latents } : { ...nothing, image: { mean: latents } };
  }
  if (pictures === undefined) return undefined;
  const { image, mask } = pictures;
  if (vae.encode === undefined) {
    throw new UnsupportedError('The VAE has no encode(), which a run that starts from a picture needs.');
  }
  const options = { ...(signal !== undefined && { signal }) };
  if (shown === 'picture') {
    const { unscaled } = await vae.encode(image, options);
    if (unscaled !== undefined) return { ...nothing, shown: unscaled };
    throw new UnsupportedError(
      'The VAE’s encode() gives no unscaled latents, which a model that changes pictures needs.',
    );
  }
  const masks = shown === 'mask' && mask !== undefined;
  return {
    ...nothing,
    image: masks && part.strength === 1 ? undefined : await vae.encode(image, options),
    masked: masks ? await vae.encode(without(image, mask.hard), options) : undefined,
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

/**
 * A sample, `mean + std * noise`: diffusers' `latent_dist.sample(generator)`, scaled. Of latents without a distribution, those
 * of picture `image`; then nothing is drawn.
 */
export function sampled({ mean, std }: LatentDistribution, image: number, noise: () => Float32Array): Float32Array {
  if (std === undefined) return row(mean, mean.dims[0] === 1 ? 0 : image).data;
  const drawn = noise();
  return mean.data.map((value, i) => value + std.data[i]! * drawn[i]!);
}
