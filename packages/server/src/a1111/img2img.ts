import { type Fit, fitImage, type Pixels, readImage } from '@sd/image';
import { imageOf } from '../engine/encode.js';
import type { EncodedImage } from '../engine.js';
import { HttpError, invalidField } from '../http/http-error.js';
import type { Img2imgFields } from './fields.js';
import { imageBytes } from './image-bytes.js';
import { inpainting } from './inpaint.js';
import type { SeededRequest } from './request.js';

export interface Img2img {
  readonly request: SeededRequest;
  finish?(image: EncodedImage): Promise<EncodedImage>;
}

/** Just resize, crop and resize, resize and fill. */
const fits: readonly Fit[] = ['stretch', 'cover', 'contain'];

/** A request that starts from an image, or repaints a part of it. Throws an HttpError. */
export async function img2imgFrom(fields: Img2imgFields, request: SeededRequest): Promise<Img2img> {
  const image = await initialImage(fields);
  const { width = image.width, height = image.height } = request;
  const { resize_mode: mode = 0 } = fields;
  if (fits[mode] === undefined)
    throw invalidField('resize_mode', '3 (latent upscale) is not supported: choose 0, 1 or 2.');
  const size = { width, height, fit: fits[mode] };
  const started = { ...request, width, height, strength: fields.denoising_strength ?? 0.75 };
  if (fields.mask === undefined || fields.mask === '') {
    const sized = await imageOf(fitImage(image, size)).toPng();
    return { request: { ...started, image: sized } };
  }
  const mask = await readImage(imageBytes('mask', fields.mask), 'mask');
  const repaint = await inpainting({ image, mask, size, fields });
  return { request: { ...started, image: repaint.image, mask: repaint.mask }, finish: repaint.finish };
}

async function initialImage({ init_images: images = [] }: Img2imgFields): Promise<Pixels> {
  if (images.length === 1) return readImage(imageBytes('init_images', images[0]), 'init_images');
  const message = images.length === 0 ? 'Init image not found' : 'One init image is supported at a time.';
  throw new HttpError({
    status: images.length === 0 ? 404 : 422,
    code: 'invalid_value',
    message,
    param: 'init_images',
  });
}
