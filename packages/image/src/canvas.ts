import type { Pixels } from './png/encode.js';

/** Pixels that can be written to. */
export interface Canvas extends Pixels {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** An area of one colour, RGBA. */
export function canvas(width: number, height: number, colour: readonly number[] = [0, 0, 0, 255]): Canvas {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < data.length; i++) data[i] = colour[i % 4]!;
  return { width, height, data };
}

/** Puts a picture onto another, in place of what is there; what lies outside is cut off. */
export function paste(onto: Canvas, picture: Pixels, left: number, top: number): void {
  const from = Math.max(0, -left);
  const end = Math.min(picture.width, onto.width - left);
  if (end <= from) return;
  for (let y = Math.max(0, -top); y < Math.min(picture.height, onto.height - top); y++) {
    const row = picture.data.subarray((y * picture.width + from) * 4, (y * picture.width + end) * 4);
    onto.data.set(row, ((top + y) * onto.width + left + from) * 4);
  }
}
