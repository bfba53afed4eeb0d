import { fitImage, type Pixels } from '@sd/image';
import { blur } from './blur.js';

/** How much of each pixel is repainted, from 0 to 255. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** A mask from an image: its alpha channel, if it has one, else its brightness (A1111's `create_binary_mask`). */
export function maskOf({ width, height, data }: Pixels, isInverted: boolean): Mask {
  const mask = new Float32Array(width * height);
  let hasAlpha = false;
  for (let i = 0; i < mask.length; i++) if (data[i * 4 + 3] !== 255) hasAlpha = true;
  for (let i = 0; i < mask.length; i++) {
    const [red, green, blue, alpha] = data.subarray(i * 4, i * 4 + 4);
    const value = hasAlpha ? alpha : (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    mask[i] = isInverted ? 255 - value : value;
  }
  return { width, height, data: mask };
}

/** A mask as gray pixels. */
export function maskPixels({ width, height, data }: Mask): Pixels {
  const pixels = new Uint8ClampedArray(data.length * 4);
  for (let i = 0; i < data.length; i++) pixels.fill(data[i], i * 4, i * 4 + 3).fill(255, i * 4 + 3, i * 4 + 4);
  return { width, height, data: pixels };
}

export function resizeMask(mask: Mask, { width, height }: Pixels): Mask {
  if (mask.width === width && mask.height === height) return mask;
  return maskOf(fitImage(maskPixels(mask), { width, height, fit: 'stretch' }), false);
}

export function blurMask(mask: Mask, sigma: number): Mask {
  return { ...mask, data: blur(mask.data, mask, sigma) };
}
