import type { Tensor } from '@sd/core';
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
import type { Size } from '../../families/family.js';

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
  /**
   * Set if an image was given: image and mask at the size of a run. Throws an InvalidOptionError if they have another size and
   * there is no `fit`.
   */
  readonly sizeTo?: ((size: TargetSize) => InitialImages) | undefined;
}

export interface TargetSize extends Size {
  readonly fit?: Fit | undefined;
}

/** Decodes the images of a run's options. Rejects with an InvalidOptionError that names the option. */
export async function readImages(given: GivenImageOptions): Promise<DecodedImages> {
  const latents = isLatents(given.image) ? given.image : undefined;
  const image = given.image === undefined || isLatents(given.image) ? undefined : await readImage(given.image, 'image');
  const mask = given.mask === undefined ? undefined : await readImage(given.mask, 'mask');
  return { image, latents, mask, sizeTo: image && ((size) => sizeImages(image, mask, size)) };
}

function isLatents(image: GivenImageOptions['image']): image is Tensor<'float32'> {
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

function sizeImages(image: Pixels, mask: Pixels | undefined, target: TargetSize): InitialImages {
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
