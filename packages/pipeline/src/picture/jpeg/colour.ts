import type { Pixels } from '../../image/index.js';
import type { Plane } from './upsample.js';

/** What the planes of a file are. */
export type ColourSpace = 'gray' | 'YCbCr' | 'RGB' | 'CMYK' | 'YCCK';

/** Planes as RGBA, with libjpeg's whole numbers (`jdcolor.c`); CMYK is inverted, as Adobe writes it, and goes to RGB as in Pillow. */
export function toRgba(planes: readonly Plane[], space: ColourSpace, width: number, height: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 4);
  const [a, b = a, c = a, k] = planes as [Plane, Plane?, Plane?, Plane?];
  const mixed = space === 'YCbCr' || space === 'YCCK';
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      let red = a.data[y * a.stride + x]!;
      let green = b.data[y * b.stride + x]!;
      let blue = c.data[y * c.stride + x]!;
      if (mixed) {
        const [luma, cb, cr] = [red, green - 128, blue - 128];
        red = luma + ((91881 * cr + 32768) >> 16);
        green = luma + ((-22554 * cb - 46802 * cr + 32768) >> 16);
        blue = luma + ((116130 * cb + 32768) >> 16);
      }
      if (k === undefined) {
        data[to] = red;
        data[to + 1] = green;
        data[to + 2] = blue;
      } else {
        const black = k.data[y * k.stride + x]!;
        const ink = (level: number) => (space === 'YCCK' ? clamp(level) : 255 - level);
        data[to] = black - scaled(ink(red), black);
        data[to + 1] = black - scaled(ink(green), black);
        data[to + 2] = black - scaled(ink(blue), black);
      }
      data[to + 3] = 255;
    }
  }
  return { width, height, data };
}

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), 255);
}

/** a * b / 255, rounded. */
function scaled(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
