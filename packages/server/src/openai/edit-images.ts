import { type Pixels, readImage } from '@sd/image';
import { imageOf } from '../engine/encode.js';
import type { GenerateRequest } from '../engine.js';
import type { FieldTable } from '../http/fields.js';
import { HttpError, invalidField } from '../http/http-error.js';
import type { FormBody } from './read-body.js';

type EditImages = Pick<GenerateRequest, 'image' | 'mask' | 'width' | 'height' | 'fit'>;

/** The only image of a form. Throws an HttpError if it has none, or several. */
export async function onlyImage(form: FormBody<FieldTable>): Promise<Uint8Array> {
  const images = await form.files('image');
  if (images.length === 0) {
    const message = "Missing required parameter: 'image', a file.";
    throw new HttpError({ status: 400, code: 'missing_required_parameter', message, param: 'image' });
  }
  if (images.length > 1) throw invalidField('image', `one image can be edited at a time, not ${images.length}.`);
  return images[0];
}

/**
 * What an edit starts from: the image, and as a mask for `generate()`, white where it is repainted, what is transparent in
 * OpenAI's mask or else in the image. The size is the image's own, made smaller if it has more than `maxPixels`.
 */
export async function editImages(
  file: Uint8Array,
  maskFile: Uint8Array | undefined,
  maxPixels: number,
): Promise<EditImages> {
  const image = await readImage(file, 'image');
  const mask = maskFile === undefined ? undefined : await readImage(maskFile, 'mask');
  if (mask !== undefined && (mask.width !== image.width || mask.height !== image.height)) {
    const sizes = `${mask.width} x ${mask.height} pixels, the image ${image.width} x ${image.height}`;
    throw invalidField('mask', `has ${sizes}: they must be equal.`);
  }
  const transparent = transparency(mask ?? image);
  if (mask !== undefined && transparent === undefined) {
    throw invalidField('mask', 'has no transparent areas: what is to be edited must be transparent.');
  }
  return {
    image: file,
    mask: transparent && (await imageOf(transparent).toPng()),
    ...ownSize(image, maxPixels),
    fit: 'cover',
  };
}

/** White where pixels are transparent, black where they are opaque; undefined if all are opaque. */
function transparency({ width, height, data }: Pixels): Pixels | undefined {
  const mask = new Uint8ClampedArray(data.length);
  let isOpaque = true;
  for (let i = 0; i < data.length; i += 4) {
    const white = 255 - data[i + 3];
    if (white > 0) isOpaque = false;
    mask.fill(white, i, i + 3);
    mask[i + 3] = 255;
  }
  return isOpaque ? undefined : { width, height, data: mask };
}

/** Multiples of 16 suit every family. */
function ownSize({ width, height }: Pixels, maxPixels: number): { width: number; height: number } {
  const scale = Math.min(1, Math.sqrt(maxPixels / (width * height)));
  const side = (length: number) => Math.max(16, Math.floor((length * scale) / 16) * 16);
  return { width: side(width), height: side(height) };
}
