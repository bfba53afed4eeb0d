import { row, type Tensor, type Vae } from '@sd/core';
import { createImage, type SdImage } from '@sd/image';
import type { Stages } from '../stages.js';

/** Decodes latents, [1, channels, h, w], to a small, cheap image. Rejects as the VAE does, or with an AbortError. */
export async function previewOf(
  { vae, previewVae }: Pick<Stages, 'vae' | 'previewVae'>,
  latents: Tensor<'float32'>,
  signal: AbortSignal | undefined,
): Promise<SdImage> {
  const decoder: Pick<Vae, 'decode' | 'preview'> = previewVae ?? vae;
  const image = await (decoder.preview ?? decoder.decode).call(decoder, latents, { signal });
  return createImage(row(image, 0));
}
