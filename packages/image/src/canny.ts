import { InvalidOptionError, show } from '@sd/core';
import { canvas } from './canvas.js';
import { compositeOnWhite } from './flatten.js';
import { type SdImage, toSdImage } from './image.js';
import type { Pixels } from './pixels.js';

export interface CannyOptions {
  /** Hysteresis thresholds: an edge starts where the gradient is above `high` and continues while it is above `low`. 100 and 200 by default. */
  readonly low?: number;
  readonly high?: number;
  /** Looks for edges in the grayscale image. By default each pixel takes the gradient of its strongest colour channel. */
  readonly gray?: boolean;
}

/** Derivatives to the right and down, and their L1 norm. */
interface Gradient {
  readonly norm: Int32Array;
  readonly right: Int32Array;
  readonly down: Int32Array;
}

/**
 * Canny edges, white on black, as the Canny ControlNets were trained on: pixel for pixel OpenCV's
 * `cv2.Canny(image, low, high)`, with its aperture of 3 and L1 norm. Transparent pixels are composited onto white first.
 *
 * Throws an InvalidOptionError (`low`, `high`) for a threshold that is negative or not finite, or if `low` is above `high`.
 * @see J. Canny, A Computational Approach to Edge Detection, 1986; OpenCV's canny.cpp
 */
export function cannyEdges(image: Pixels, { low = 100, high = 200, gray = false }: CannyOptions = {}): SdImage {
  for (const [option, value] of Object.entries({ low, high })) {
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new InvalidOptionError(option, `must be a number of at least 0, not ${show(value)}.`);
    }
  }
  if (low > high) throw new InvalidOptionError('low', `must not be above high, but is ${low}, and high is ${high}.`);
  const { width, height, data } = compositeOnWhite(image);
  const planes = gray ? [grayOf(data)] : [0, 1, 2].map((channel) => planeOf(data, channel));
  const gradient = planes.map((plane) => sobel(plane, width, height)).reduce(strongest);
  const edges = trackEdges(
    localMaxima(gradient, width, height, Math.floor(low)),
    gradient.norm,
    Math.floor(high),
    width,
  );
  const out = canvas(width, height);
  edges.forEach((edge, i) => {
    if (edge === 1) out.data.fill(255, i * 4, i * 4 + 3);
  });
  return toSdImage(out);
}

function planeOf(rgba: Uint8ClampedArray, channel: number): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < out.length; i++) out[i] = rgba[i * 4 + channel];
  return out;
}

/** OpenCV's `COLOR_RGB2GRAY`, in 15-bit fixed point. */
function grayOf(rgba: Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < out.length; i++) {
    out[i] = (rgba[i * 4] * 9798 + rgba[i * 4 + 1] * 19235 + rgba[i * 4 + 2] * 3735 + 0x4000) >> 15;
  }
  return out;
}

/** Derivatives by Sobel's 3 x 3 kernels, with the border replicated. */
function sobel(plane: Uint8Array, width: number, height: number): Gradient {
  const size = width * height;
  const gradient = { norm: new Int32Array(size), right: new Int32Array(size), down: new Int32Array(size) };
  for (let y = 0, i = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * width;
    const row = y * width;
    const below = Math.min(y + 1, height - 1) * width;
    for (let x = 0; x < width; x++, i++) {
      const before = Math.max(x - 1, 0);
      const after = Math.min(x + 1, width - 1);
      const falling = plane[below + after] - plane[above + before];
      const rising = plane[above + after] - plane[below + before];
      const right = falling + rising + 2 * (plane[row + after] - plane[row + before]);
      const down = falling - rising + 2 * (plane[below + x] - plane[above + x]);
      gradient.right[i] = right;
      gradient.down[i] = down;
      gradient.norm[i] = Math.abs(right) + Math.abs(down);
    }
  }
  return gradient;
}

/** For each pixel the larger gradient, the first if both are equal. Changes and returns the first argument. */
function strongest(best: Gradient, other: Gradient): Gradient {
  other.norm.forEach((norm, i) => {
    if (norm <= best.norm[i]) return;
    best.norm[i] = norm;
    best.right[i] = other.right[i];
    best.down[i] = other.down[i];
  });
  return best;
}

/** tan(22.5°) in 15-bit fixed point. */
const tan22 = 13573;

/**
 * Non-maximum suppression: 1 where the gradient is above `low` and the largest along its direction, rounded to one of
 * four. Outside of the image the gradient counts as 0.
 */
function localMaxima({ norm, right, down }: Gradient, width: number, height: number, low: number): Uint8Array {
  const out = new Uint8Array(norm.length);
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : norm[y * width + x]);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const size = norm[i];
      if (size <= low) continue;
      const [dx, dy] = [Math.abs(right[i]), Math.abs(down[i]) * 2 ** 15];
      if (dy < dx * tan22) out[i] = Number(size > at(x - 1, y) && size >= at(x + 1, y));
      else if (dy > dx * (tan22 + 2 ** 16)) out[i] = Number(size > at(x, y - 1) && size >= at(x, y + 1));
      else {
        const side = right[i] < 0 === down[i] < 0 ? 1 : -1;
        out[i] = Number(size > at(x - side, y - 1) && size > at(x + side, y + 1));
      }
    }
  }
  return out;
}

/** Hysteresis: the maxima above `high`, and those connected to one of them. */
function trackEdges(maxima: Uint8Array, norm: Int32Array, high: number, width: number): Uint8Array {
  const edges = new Uint8Array(maxima.length);
  const stack: number[] = [];
  const visit = (i: number) => {
    if (edges[i] === 1 || maxima[i] !== 1) return;
    edges[i] = 1;
    stack.push(i);
  };
  for (let i = 0; i < maxima.length; i++) if (norm[i] > high) visit(i);
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
    const x = i % width;
    for (let dx = x === 0 ? 0 : -1; dx <= (x === width - 1 ? 0 : 1); dx++) {
      for (const row of [i - width, i, i + width]) if (row >= 0 && row < maxima.length) visit(row + dx);
    }
  }
  return edges;
}
