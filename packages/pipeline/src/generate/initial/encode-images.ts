import { type LatentDistribution, row, sizeOf, type Tensor, tensor, UnsupportedError, type Vae } from '@sd/core';
import type { ModelTraits } from '../model-traits.js';
import type { InitialState } from '../request.js';

/** What the VAE's encoder makes of a run's images: distributions, which each picture of the run draws from anew. */
export interface EncodedImages {
  /** Left out where the run starts from noise alone. */
  readonly image?: LatentDistribution | undefined;
  /** The image without what is repainted, for a noise predictor that takes it besides the sample. */
  readonly masked?: LatentDistribution | undefined;
  /** The image to change, [1, channels, h, w], in the encoder's unscaled space, for a noise predictor that takes it. */
  readonly condition?: Tensor<'float32'> | undefined;
}

export interface EncodeImagesOptions {
  readonly imageInput: ModelTraits['imageInput'];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the VAE's encoder, unless latents were given. Undefined for a run without an image. Rejects with an UnsupportedError
 * for a VAE without an encoder.
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
  const hidden = imageInput === 'mask' ? mask?.hard : undefined;
  const startsFromNoise = hidden !== undefined && range.strength === 1;
  return {
    image: startsFromNoise ? undefined : await encode(vae, image, signal),
    masked: hidden && (await encode(vae, withoutMasked(image, hidden), signal)),
  };
}

async function encode(
  vae: Vae,
  image: Tensor<'float32'>,
  signal: AbortSignal | undefined,
): Promise<LatentDistribution> {
  if (vae.encode === undefined) {
    throw new UnsupportedError('The VAE has no encode(), which a run that starts from an image needs.');
  }
  return vae.encode(image, { ...(signal !== undefined && { signal }) });
}

async function encodeUnscaled(vae: Vae, image: Tensor<'float32'>, signal: AbortSignal | undefined) {
  const { unscaled } = await encode(vae, image, signal);
  if (unscaled !== undefined) return unscaled;
  throw new UnsupportedError('The VAE’s encode() gives no unscaled latents, which a model that changes images needs.');
}

/** The image with 0, a middle gray, where it is repainted. */
function withoutMasked(image: Tensor<'float32'>, mask: Tensor<'float32'>): Tensor<'float32'> {
  const size = sizeOf(mask.dims);
  return tensor(
    'float32',
    image.dims,
    image.data.map((value, i) => (mask.data[i % size] === 1 ? 0 : value)),
  );
}

/**
 * A sample of a distribution, `mean + std * noise`: diffusers' `latent_dist.sample(generator)`, scaled. Of latents without a
 * distribution, those of the picture with this index; then no noise is drawn.
 */
export function sampleOf({ mean, std }: LatentDistribution, index: number, noise: () => Float32Array): Float32Array {
  if (std === undefined) return row(mean, mean.dims[0] === 1 ? 0 : index).data;
  const drawn = noise();
  return mean.data.map((value, i) => value + std.data[i] * drawn[i]);
}
