import type { Pixels } from './png/encode.js';

/** A filter over distances in pixels, zero beyond its support. */
interface Filter {
  readonly support: number;
  weight(x: number): number;
}

/** sinc(x) sinc(x / 3), three lobes wide. */
export const lanczos: Filter = {
  support: 3,
  weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

/** Keys' cubic convolution with a = -0.5. */
export const bicubic: Filter = {
  support: 2,
  weight(x) {
    const [a, d] = [-0.5, Math.abs(x)];
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  },
};

/** Part of a picture, in pixels that need not be whole: left, top, right, bottom. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * A picture in another size, to the last bit as Pillow's `Image.resize(size, filter, box)` has it: weights in 22 bits of
 * fraction, rounded to 8 bits between the two passes; colours are weighted by their alpha. Pillow 13 goes down first where
 * the height shrinks much more than the width; older ones always go across first, and differ by a level or two there.
 * Follows Pillow's Resample.c, and Convert.c for the alpha.
 */
export function resample(pixels: Pixels, width: number, height: number, filter: Filter, box?: Box): Pixels {
  const [left, top, right, bottom] = box ?? [0, 0, pixels.width, pixels.height];
  const whole = left === 0 && top === 0 && right === pixels.width && bottom === pixels.height;
  if (whole && width === pixels.width && height === pixels.height) {
    return { width, height, data: pixels.data.slice() };
  }
  const clear = hasAlpha(pixels);
  let { data } = clear ? premultiplied(pixels) : pixels;
  const across = width !== pixels.width || left !== 0 || right !== width;
  const down = height !== pixels.height || top !== 0 || bottom !== height;
  const passAcross = (rows: number) => {
    const taps = tapsOf(pixels.width, left, right, width, filter);
    data = resampleLines(data, taps, rows, 4, pixels.width * 4, width * 4);
  };
  const passDown = (columns: number) => {
    const taps = tapsOf(pixels.height, top, bottom, height, filter);
    data = resampleLines(data, taps, columns, columns * 4, 4, 4);
  };
  const less = pixels.height - height;
  if (across && down && less > 0 && less > 2 * (pixels.width - width)) {
    passDown(pixels.width);
    passAcross(height);
  } else {
    if (across) passAcross(pixels.height);
    if (down) passDown(width);
  }
  const resized = { width, height, data };
  return clear ? unmultiplied(resized) : resized;
}

interface Tap {
  readonly first: number;
  readonly weights: Int32Array;
}

const one = 2 ** 22;

/** For each pixel along a line, which pixels it comes from, and with which weights. */
function tapsOf(size: number, from: number, to: number, newSize: number, { support, weight }: Filter): Tap[] {
  const scale = (to - from) / newSize;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  return Array.from({ length: newSize }, (_, i) => {
    const centre = from + (i + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach + 0.5), size);
    const weights = Array.from({ length: end - first }, (_, k) => weight((k + first - centre + 0.5) * (1 / stretch)));
    const sum = weights.reduce((total, value) => total + value, 0);
    const whole = weights.map((value) => {
      const scaled = (sum === 0 ? value : value / sum) * one;
      return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    });
    return { first, weights: Int32Array.from(whole) };
  });
}

/** `step` is from pixel to pixel along a line, `line` and `newLine` from line to line, in bytes. */
function resampleLines(
  data: Pixels['data'],
  taps: readonly Tap[],
  lines: number,
  step: number,
  line: number,
  newLine: number,
): Uint8ClampedArray {
  const out = new Uint8ClampedArray(taps.length * lines * 4);
  taps.forEach(({ first, weights }, i) => {
    for (let n = 0; n < lines; n++) {
      const start = n * line + first * step;
      const to = n * newLine + i * step;
      for (let channel = 0; channel < 4; channel++) {
        let sum = one / 2;
        for (let k = 0; k < weights.length; k++) sum += data[start + k * step + channel]! * weights[k]!;
        out[to + channel] = sum >> 22;
      }
    }
  });
  return out;
}

function hasAlpha({ data }: Pixels): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}

function premultiplied({ width, height, data }: Pixels): Pixels {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 3) continue;
    const product = data[i]! * data[i | 3]! + 128;
    out[i] = ((product >> 8) + product) >> 8;
  }
  return { width, height, data: out };
}

function unmultiplied({ width, height, data }: Pixels): Pixels {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < out.length; i++) {
    const alpha = data[i | 3]!;
    if (i % 4 !== 3 && alpha !== 0 && alpha !== 255) out[i] = Math.trunc((255 * data[i]!) / alpha);
  }
  return { width, height, data: out };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
