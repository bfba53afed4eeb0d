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

/** The pictures among a request's options, as they were given. */
export interface GivenPictures {
  readonly image?: ImageInput | Tensor<'float32'>;
  readonly mask?: ImageInput;
}

/** The same, decoded. */
export interface ReadPictures {
  readonly image?: Pixels;
  /** In place of an image. */
  readonly latents?: Tensor<'float32'>;
  readonly mask?: Pixels;
}

/** Decodes the pictures that there are. Rejects with an InvalidOptionError that names the option. */
export async function readPictures({ image, mask }: GivenPictures): Promise<ReadPictures> {
  const latents = image !== undefined && isTensor(image) ? image : undefined;
  return {
    ...(latents && { latents }),
    ...(image !== undefined && !isTensor(image) && { image: await readImage(image, 'image') }),
    ...(mask !== undefined && { mask: await readImage(mask, 'mask') }),
  };
}

function isTensor(image: ImageInput | Tensor<'float32'>): image is Tensor<'float32'> {
  return typeof image === 'object' && image !== null && 'dims' in image;
}

/** The pictures of a run, in its size. */
export interface SizedPictures {
  /** [1, 3, height, width], -1 to 1. */
  readonly image: Tensor<'float32'>;
  readonly mask: SizedMask | undefined;
}

export interface SizedMask {
  /** [1, 1, height, width] of 0 (keep) and 1 (repaint), cut at half as diffusers does. */
  readonly hard: Tensor<'float32'>;
  /** The same, but with its grays if it was given with grays. */
  readonly soft: Tensor<'float32'>;
}

/** Brings pictures to the run's size. Throws an InvalidOptionError where that needs a `fit` that is not given. */
export function sizePictures(
  image: Pixels,
  mask: Pixels | undefined,
  size: { readonly width: number; readonly height: number; readonly fit?: Fit | undefined },
): SizedPictures {
  const { width, height, fit } = size;
  const asked = { width, height, ...(fit !== undefined && { fit }) };
  return {
    image: imageTensor(fitImage(image, asked, 'image')),
    mask: mask && sizeMask(mask, fitImage(mask, asked, 'mask')),
  };
}

function sizeMask(given: Pixels, sized: Pixels): SizedMask {
  const hard = maskTensor(sized);
  // Scaling makes grays of its own.
  const grays = grayTensor(given).data.some((value) => value > 0 && value < 1);
  return { hard, soft: grays ? grayTensor(sized) : hard };
}

/**
 * The size of a run: as given, else the picture's own, else the one that the model was trained on. Throws an
 * InvalidOptionError for a picture whose own size the model cannot make.
 */
export function runSize(
  given: { readonly width?: number | undefined; readonly height?: number | undefined },
  { image, latents }: ReadPictures,
  { factor, sampleSize }: { readonly factor: number; readonly sampleSize: number },
): { readonly width: number; readonly height: number } {
  const [, , rows = sampleSize, columns = sampleSize] = latents?.dims ?? [];
  const [width, height] = [
    given.width ?? image?.width ?? columns * factor,
    given.height ?? image?.height ?? rows * factor,
  ];
  const odd = image !== undefined && given.width === undefined && given.height === undefined;
  if (odd && (width % factor !== 0 || height % factor !== 0)) {
    const [near, high] = [width, height].map((side) => Math.max(factor, side - (side % factor)));
    throw new InvalidOptionError(
      'image',
      `is ${width} x ${height} pixels, and sides must be multiples of ${factor}. Give a width and height, such as ${near} and ${high}, and the fit: crop cuts the middle out, cover scales and crops, contain scales and draws the edges out, stretch scales each side.`,
    );
  }
  return { width, height };
}
