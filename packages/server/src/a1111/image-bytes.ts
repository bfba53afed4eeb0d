import { invalidField } from '../http/http-error.js';

/** An image in base64, with or without the head of a `data:` URL. Throws an HttpError. */
export function imageBytes(field: string, text: string): Uint8Array {
  const base64 = text.replace(/^data:[^,]{0,100},/, '').trim();
  if (base64 === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) {
    throw invalidField(field, 'must be an image file in base64. Addresses of images are not fetched.');
  }
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
