import type { Pixels } from './pixels.js';

/** A resampling filter: a weight for each distance in pixels, zero beyond its support. */
interface Filter {
  readonly support: number;
  weight(x: number): number;
}

/** sinc(x) sinc(x / 3): Lanczos with three lobes. */
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

/** A region of an image, in pixels and fractions of them. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * Resizes an image, to the last bit like Pillow's `Image.resize(size, filter, box)`: with weights in 22-bit fixed point,
 * rounding to 8 bits between the two passes, and colours premultiplied by alpha. If the height shrinks much more than the
 * width, Pillow 13 makes the vertical pass first; older versions never do, and differ by a level or two there.
 * Follows Pillow's Resample.c, and Convert.c for the alpha channel.
 */
export function resample(pixels: Pixels, width: number, height: number, filter: Filter, box?: Box): Pixels {
  const [left, top, right, bottom] = box ?? [0, 0, pixels.width, pixels.height];
  const isWholeImage = left === 0 && top === 0 && right === pixels.width && bottom === pixels.height;
  if (isWholeImage && width === pixels.width && height === pixels.height) {
    return { width, height, data: pixels.data.slice() };
  }
  const isTransparent = hasAlpha(pixels);
  let { data } = isTransparent ? premultiplied(pixels) : pixels;
  const resizesWidth = width !== pixels.width || left !== 0 || right !== width;
  const resizesHeight = height !== pixels.height || top !== 0 || bottom !== height;
  const horizontalPass = (rows: number) => {
    const taps = tapsOf(pixels.width, left, right, width, filter);
    data = resampleLines(data, taps, rows, 4, pixels.width * 4, width * 4);
  };
  const verticalPass = (columns: number) => {
    const taps = tapsOf(pixels.height, top, bottom, height, filter);
    data = resampleLines(data, taps, columns, columns * 4, 4, 4);
  };
  const heightLoss = pixels.height - height;
  if (resizesWidth && resizesHeight && heightLoss > 0 && heightLoss > 2 * (pixels.width - width)) {
    verticalPass(pixels.width);
    horizontalPass(height);
  } else {
    if (resizesWidth) horizontalPass(pixels.height);
    if (resizesHeight) verticalPass(width);
  }
  const resized = { width, height, data };
  return isTransparent ? unmultiplied(resized) : resized;
}

interface Tap {
  readonly first: number;
  readonly weights: Int32Array;
}

const fixedPointOne = 2 ** 22;

/** For each pixel of a resized line, the first source pixel that it depends on, and the weights from there on. */
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
      const scaled = (sum === 0 ? value : value / sum) * fixedPointOne;
      return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    });
    return { first, weights: Int32Array.from(whole) };
  });
}

/** Resizes along one axis. Strides in bytes: `step` from pixel to pixel along a line, `line` and `newLine` from line to line. */
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
        let sum = fixedPointOne / 2;
        for (let k = 0; k < weights.length; k++) sum += data[start + k * step + channel] * weights[k];
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
    const product = data[i] * data[i | 3] + 128;
    out[i] = ((product >> 8) + product) >> 8;
  }
  return { width, height, data: out };
}

function unmultiplied({ width, height, data }: Pixels): Pixels {
  const out = new Uint8ClampedArray(data);
  for (let i = 0; i < out.length; i++) {
    const alpha = data[i | 3];
    if (i % 4 !== 3 && alpha !== 0 && alpha !== 255) out[i] = Math.trunc((255 * data[i]) / alpha);
  }
  return { width, height, data: out };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
