import type { Canvas } from './canvas.js';
import type { Pixels } from './pixels.js';

/** Composites an image onto opaque white, rounding to 8 bits as Pillow's `alpha_composite` does. Always a copy. */
export function compositeOnWhite({ width, height, data }: Pixels): Canvas {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < out.length; i++) {
    const alpha = data[i | 3];
    if (i % 4 === 3) out[i] = 255;
    else if (alpha !== 255) out[i] = Math.round((data[i] * alpha + 255 * (255 - alpha)) / 255);
  }
  return { width, height, data: out };
}
