import { enlarge, type Pixels, type SdImage } from '@sd/image';
import type { EncodedImage, OutputFormat } from '../engine.js';

/** Encodes an image, with the settings that it was made with. Rejects with an SdError. */
export async function encodeImage(
  image: SdImage,
  { format, quality }: OutputFormat = { format: 'png' },
): Promise<EncodedImage> {
  const { width, height } = image;
  return { bytes: await fileOf(image, format, quality), mediaType: `image/${format}`, width, height };
}

function fileOf(image: SdImage, format: OutputFormat['format'], quality: number | undefined): Promise<Uint8Array> {
  // OpenAI's scale begins with 0. PNG takes no quality.
  const least = format === 'png' || quality === undefined ? undefined : Math.max(1, quality);
  return image.encode({ format, quality: least });
}

/** An image without settings. */
export function imageOf(pixels: Pixels): SdImage {
  return enlarge(pixels, 1);
}
