import { InvalidOptionError } from '@sd/core';
import type { ModelTraits } from '../model-traits.js';
import type { DecodedImages } from './images.js';

/**
 * The size of a run: `width` and `height`, else the image's size, else the one that the model was trained on. Throws an
 * InvalidOptionError if the image's size is used but the model cannot generate it.
 */
export function runSize(
  given: { readonly width?: number | undefined; readonly height?: number | undefined },
  { image, latents }: DecodedImages,
  { scaleFactor, sideMultiple, sampleSize }: Pick<ModelTraits, 'scaleFactor' | 'sideMultiple' | 'sampleSize'>,
): { readonly width: number; readonly height: number } {
  // The shape of the caller's latents is checked later.
  const dims: unknown = latents?.dims;
  const [, , rows = sampleSize, columns = sampleSize] = Array.isArray(dims) ? (dims as readonly number[]) : [];
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
