import type { Pixels } from './pixels.js';

/** Pixels that can be written to. */
export interface Canvas extends Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** Pixels filled with one RGBA colour: opaque black by default. */
export function canvas(width: number, height: number, colour: readonly number[] = [0, 0, 0, 255]): Canvas {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 4];
  return { width, height, data };
}

/** Copies an image into another at a position that may be outside; pixels there are cut off. Nothing is blended. */
export function paste(onto: Canvas, image: Pixels, left: number, top: number): void {
  const from = Math.max(0, -left);
  const end = Math.min(image.width, onto.width - left);
  if (end <= from) return;
  for (let y = Math.max(0, -top); y < Math.min(image.height, onto.height - top); y++) {
    const row = image.data.subarray((y * image.width + from) * 4, (y * image.width + end) * 4);
    onto.data.set(row, ((top + y) * onto.width + left + from) * 4);
  }
}
