import { type Fit, fitImage, type Pixels, readImage } from '@sd/image';
import { imageOf } from '../engine/encode.js';
import type { EncodedImage } from '../engine.js';
import { invalidField } from '../http/http-error.js';
import type { Img2imgFields } from './fields.js';
import { fillFromAround } from './fill.js';
import { blurMask, type Mask, maskOf, maskPixels, resizeMask } from './mask.js';
import { copyText } from './png-text.js';
import { crop, paste, type Region, regionOf } from './region.js';

export interface InpaintOptions {
  readonly image: Pixels;
  readonly mask: Pixels;
  readonly size: { readonly width: number; readonly height: number; readonly fit: Fit };
  readonly fields: Img2imgFields;
}

export interface Inpainting {
  /** PNG files at the size of the run; white of the mask is repainted. */
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
  /** Pastes a result into the image that it started from: what the mask keeps stays as it was, to the bit. */
  finish(image: EncodedImage): Promise<EncodedImage>;
}

/** Prepares an image and a mask as A1111's modules/processing.py does (`StableDiffusionProcessingImg2Img.init`). */
export async function inpainting({ image, mask: given, size, fields }: InpaintOptions): Promise<Inpainting> {
  const { inpaint_full_res: onlyMasked = true, inpaint_full_res_padding: padding = 0 } = fields;
  const isInverted = fields.inpainting_mask_invert === 1;
  const mask = blurMask(resizeMask(maskOf(given, isInverted), image), fields.mask_blur ?? 4);
  if (!mask.data.some((value) => value > 0)) throw invalidField('mask', 'is black: nothing would be repainted.');
  const region = onlyMasked ? regionOf(mask, { ...size, padding }) : undefined;
  const base = region === undefined ? fitImage(image, size) : image;
  const baseMask = region === undefined ? fitMask(mask, size) : mask;
  const whole: Region = { left: 0, top: 0, width: base.width, height: base.height };
  const part = region ?? whole;
  const stretched = { width: size.width, height: size.height, fit: 'stretch' } as const;
  const filled = fillMasked(base, baseMask, fields.inpainting_fill ?? 1);
  return {
    image: await imageOf(fitImage(crop(filled, part), stretched)).toPng(),
    mask: await imageOf(fitImage(crop(maskPixels(baseMask), part), stretched)).toPng(),
    async finish({ bytes, mediaType }) {
      const drawn = fitImage(await readImage(bytes), { width: part.width, height: part.height, fit: 'stretch' });
      const whole = paste(base, drawn, part, baseMask);
      const file = await imageOf(whole).toPng();
      return { bytes: copyText(bytes, file), mediaType, width: whole.width, height: whole.height };
    },
  };
}

/** What the masked part is before noise is added. */
function fillMasked(image: Pixels, mask: Mask, fill: number): Pixels {
  if (fill === 1) return image;
  if (fill === 0) return fillFromAround(image, mask);
  throw invalidField('inpainting_fill', `${fill} (latent noise, latent nothing) is not supported: choose 0 or 1.`);
}

function fitMask(mask: Mask, size: InpaintOptions['size']): Mask {
  return maskOf(fitImage(maskPixels(mask), size), false);
}
