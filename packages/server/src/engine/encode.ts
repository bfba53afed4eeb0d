import { UnsupportedError } from '@sd/core';
import { encodePng, type ImageParameters, type Pixels } from '@sd/image';
import type { EncodedImage, OutputFormat } from '../engine.js';

/** Encodes an image, with the settings that it was made with, if there are any. */
export async function encodeImage(
  pixels: Pixels,
  { format }: OutputFormat = { format: 'png' },
  parameters?: ImageParameters,
): Promise<EncodedImage> {
  const { width, height } = pixels;
  if (format !== 'png') throw new UnsupportedError(`Images cannot be written as ${format} yet: choose png.`);
  return { bytes: await encodePng(pixels, parameters), mediaType: `image/${format}`, width, height };
}
