import { UnsupportedError } from '@sd/core';
import { enlarge, type Pixels, type SdImage } from '@sd/image';
import type { EncodedImage, OutputFormat } from '../engine.js';

/** An image that writes formats other than PNG. */
interface Encoding {
  encode(options: { readonly format: string; readonly quality?: number | undefined }): Promise<Uint8Array>;
}

/** Encodes an image, with the settings that it was made with. Rejects with an SdError. */
export async function encodeImage(
  image: SdImage,
  { format, quality }: OutputFormat = { format: 'png' },
): Promise<EncodedImage> {
  const { width, height } = image;
  return { bytes: await fileOf(image, format, quality), mediaType: `image/${format}`, width, height };
}

async function fileOf(
  image: SdImage & Partial<Encoding>,
  format: OutputFormat['format'],
  quality: number | undefined,
): Promise<Uint8Array> {
  if (format === 'png') return image.toPng();
  if (image.encode === undefined) throw new UnsupportedError(`Images cannot be written as ${format}: choose png.`);
  // OpenAI's scale begins with 0.
  return image.encode({ format, quality: quality === undefined ? undefined : Math.max(1, quality) });
}

/** An image without settings. */
export function imageOf(pixels: Pixels): SdImage {
  return enlarge(pixels, 1);
}
