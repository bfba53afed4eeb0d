import { InvalidOptionError, type Tensor } from '@sd/core';
import {
  type Fit,
  fitImage,
  grayTensor,
  type ImageInput,
  imageTensor,
  maskTensor,
  type Pixels,
  readImage,
} from '@sd/image';
import type { ModelTraits } from '../model-traits.js';

/** The images among a run's options, as they were given. */
export interface GivenImageOptions {
  readonly image?: ImageInput | Tensor<'float32'> | undefined;
  readonly mask?: ImageInput | undefined;
}

/** The same, decoded. */
export interface ReadImages {
  readonly image?: Pixels | undefined;
  /** In place of an image. */
  readonly latents?: Tensor<'float32'> | undefined;
  readonly mask?: Pixels | undefined;
}

/** Decodes the images that were given. Rejects with an InvalidOptionError that names the option. */
export async function readImages({ image, mask }: GivenImageOptions): Promise<ReadImages> {
  const isLatents = image !== undefined && isTensor(image);
  return {
    latents: isLatents ? image : undefined,
    image: image === undefined || isLatents ? undefined : await readImage(image, 'image'),
    mask: mask === undefined ? undefined : await readImage(mask, 'mask'),
  };
}

function isTensor(image: ImageInput | Tensor<'float32'>): image is Tensor<'float32'> {
  return typeof image === 'object' && image !== null && 'dims' in image;
}

/** The images of a run, at its size. */
export interface InitialImages {
  /** [1, 3, height, width], -1 to 1. */
  readonly image: Tensor<'float32'>;
  readonly mask: SizedMask | undefined;
}

export interface SizedMask {
  /** [1, 1, height, width] of 0 (keep) and 1 (repaint), thresholded at half as diffusers does. */
  readonly hard: Tensor<'float32'>;
  /** The same with its grays, if it was given with grays. */
  readonly soft: Tensor<'float32'>;
}

/** Brings images to the run's size. Throws an InvalidOptionError where that needs a `fit` that is not given. */
export function sizeImages(
  image: Pixels,
  mask: Pixels | undefined,
  size: { readonly width: number; readonly height: number; readonly fit?: Fit | undefined },
): InitialImages {
  const { width, height, fit } = size;
  const wanted = { width, height, ...(fit !== undefined && { fit }) };
  return {
    image: imageTensor(fitImage(image, wanted, 'image')),
    mask: mask && sizeMask(mask, fitImage(mask, wanted, 'mask')),
  };
}

function sizeMask(given: Pixels, sized: Pixels): SizedMask {
  const hard = maskTensor(sized);
  // Scaling makes grays too, so the mask is asked as it was given.
  const hasGrays = grayTensor(given).data.some((value) => value > 0 && value < 1);
  return { hard, soft: hasGrays ? grayTensor(sized) : hard };
}

/**
 * The size of a run: as given, else the image's, else the one that the model was trained on. Throws an InvalidOptionError
 * for an image whose own size the model cannot draw.
 */
export function runSize(
  given: { readonly width?: number | undefined; readonly height?: number | undefined },
  { image, latents }: ReadImages,
  { scaleFactor, sideMultiple, sampleSize }: Pick<ModelTraits, 'scaleFactor' | 'sideMultiple' | 'sampleSize'>,
): { readonly width: number; readonly height: number } {
  const [, , rows = sampleSize, columns = sampleSize] = latents?.dims ?? [];
  const width = given.width ?? image?.width ?? columns * scaleFactor;
  const height = given.height ?? image?.height ?? rows * scaleFactor;
  const isImageSize = image !== undefined && given.width === undefined && given.height === undefined;
  if (isImageSize && (width % sideMultiple !== 0 || height % sideMultiple !== 0)) {
    const [near, high] = [width, height].map((side) => Math.max(sideMultiple, side - (side % sideMultiple)));
    throw new InvalidOptionError(
      'image',
      `is ${width} x ${height} pixels, and sides must be multiples of ${sideMultiple}. Give a width and height, such as ${near} and ${high}, and the fit: crop cuts the middle out, cover scales and crops, contain scales and extends the edges, stretch scales each side.`,
    );
  }
  return { width, height };
}
