import type { Pixels } from './png/encode.js';

/** A picture laid on white, opaque, rounded to 8 bits as Pillow's `alpha_composite` does. Always a copy. */
export function onWhite({ width, height, data }: Pixels): Pixels & { readonly data: Uint8ClampedArray<ArrayBuffer> } {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < out.length; i++) {
    const alpha = data[i | 3]!;
    if (i % 4 === 3) out[i] = 255;
    else if (alpha !== 255) out[i] = Math.round((data[i]! * alpha + 255 * (255 - alpha)) / 255);
  }
  return { width, height, data: out };
}
