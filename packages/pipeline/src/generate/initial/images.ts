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

/** The images among a run's options. */
export interface GivenImageOptions {
  readonly image?: ImageInput | Tensor<'float32'> | undefined;
  readonly mask?: ImageInput | undefined;
}

/** The images of a run's options, decoded. */
export interface DecodedImages {
  readonly image?: Pixels | undefined;
  /** Set in place of `image` if latents were given. */
  readonly latents?: Tensor<'float32'> | undefined;
  readonly mask?: Pixels | undefined;
}

/** Decodes the images of a run's options. Rejects with an InvalidOptionError that names the option. */
export async function readImages({ image, mask }: GivenImageOptions): Promise<DecodedImages> {
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

/** The images that a run starts from, at its size. */
export interface InitialImages {
  /** [1, 3, height, width], -1 to 1. */
  readonly image: Tensor<'float32'>;
  readonly mask: SizedMask | undefined;
}

export interface SizedMask {
  /** [1, 1, height, width] of 0 (keep) and 1 (repaint), thresholded at 0.5 as in diffusers. */
  readonly hard: Tensor<'float32'>;
  /** The mask with its grays; `hard` if it has none. */
  readonly soft: Tensor<'float32'>;
}

/** Fits images to the run's size. Throws an InvalidOptionError if they have another size and no `fit` is given. */
export function sizeImages(
  image: Pixels,
  mask: Pixels | undefined,
  size: { readonly width: number; readonly height: number; readonly fit?: Fit | undefined },
): InitialImages {
  const { width, height, fit } = size;
  const target = { width, height, fit };
  return {
    image: imageTensor(fitImage(image, target, 'image')),
    mask: mask && sizeMask(mask, fitImage(mask, target, 'mask')),
  };
}

function sizeMask(given: Pixels, sized: Pixels): SizedMask {
  const hard = maskTensor(sized);
  // Scaling adds grays, so the mask is examined before it.
  const hasGrays = grayTensor(given).data.some((value) => value > 0 && value < 1);
  return { hard, soft: hasGrays ? grayTensor(sized) : hard };
}

/**
 * The size of a run: `width` and `height`, else the image's size, else the one that the model was trained on. Throws an
 * InvalidOptionError if the image's size is used but the model cannot generate it.
 */
export function runSize(
  given: { readonly width?: number | undefined; readonly height?: number | undefined },
  { image, latents }: DecodedImages,
  { scaleFactor, sideMultiple, sampleSize }: Pick<ModelTraits, 'scaleFactor' | 'sideMultiple' | 'sampleSize'>,
): { readonly width: number; readonly height: number } {
  const [, , rows = sampleSize, columns = sampleSize] = latents?.dims ?? [];
  const width = given.width ?? image?.width ?? columns * scaleFactor;
  const height = given.height ?? image?.height ?? rows * scaleFactor;
  const isImageSize = image !== undefined && given.width === undefined && given.height === undefined;
  if (isImageSize && (width % sideMultiple !== 0 || height % sideMultiple !== 0)) {
    const [nearWidth, nearHeight] = [width, height].map((side) => Math.max(sideMultiple, side - (side % sideMultiple)));
    throw new InvalidOptionError(
      'image',
      `has ${width} x ${height} pixels, but sides must be multiples of ${sideMultiple}. Pass a width and height, such as ${nearWidth} and ${nearHeight}, and a fit: crop cuts out the middle, cover scales and crops, contain scales and extends the edges, stretch scales each side.`,
    );
  }
  return { width, height };
}
