import { InvalidOptionError } from '@sd/core';
import { canvas } from './canvas.js';
import { onWhite } from './flatten.js';
import type { SdImage } from './image.js';
import type { Pixels } from './png/encode.js';
import { sdImage } from './sd-image.js';

export interface CannyOptions {
  /** An edge that starts above `high` goes on where the gradient is above `low`: 100 and 200 by default. */
  readonly low?: number;
  readonly high?: number;
  /** By default each pixel's edge is that of its strongest colour; `gray` looks for edges in the picture's gray. */
  readonly gray?: boolean;
}

/** Sums of absolute slopes to the right and down, and the slopes themselves. */
interface Gradient {
  readonly norm: Int32Array;
  readonly right: Int32Array;
  readonly down: Int32Array;
}

/**
 * Edges, white on black, as ControlNets for Canny edges were trained with: the pixels of OpenCV's
 * `cv2.Canny(image, low, high)` with its aperture of 3 and L1 norm. What is not opaque is laid on white first.
 *
 * Throws an InvalidOptionError (`low`, `high`) for thresholds that are not finite numbers from 0 up, or low above high.
 * @see J. Canny, A Computational Approach to Edge Detection, 1986; OpenCV's canny.cpp
 */
export function cannyEdges(picture: Pixels, { low = 100, high = 200, gray = false }: CannyOptions = {}): SdImage {
  for (const [option, value] of Object.entries({ low, high })) {
    if (!(Number.isFinite(value) && value >= 0)) {
      throw new InvalidOptionError(option, `must be a number from 0 up, not ${value}.`);
    }
  }
  if (low > high) throw new InvalidOptionError('low', `is ${low}, more than high, ${high}.`);
  const { width, height, data } = onWhite(picture);
  const planes = gray ? [grayOf(data)] : [0, 1, 2].map((channel) => planeOf(data, channel));
  const gradient = planes.map((plane) => sobel(plane, width, height)).reduce(stronger);
  const edges = connected(ridges(gradient, width, height, Math.floor(low)), gradient.norm, Math.floor(high), width);
  const out = canvas(width, height);
  edges.forEach((edge, i) => {
    if (edge === 1) out.data.fill(255, i * 4, i * 4 + 3);
  });
  return sdImage(out);
}

function planeOf(rgba: Uint8ClampedArray, channel: number): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < out.length; i++) out[i] = rgba[i * 4 + channel]!;
  return out;
}

/** OpenCV's `COLOR_RGB2GRAY`, in 15 bits of fraction. */
function grayOf(rgba: Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < out.length; i++) {
    out[i] = (rgba[i * 4]! * 9798 + rgba[i * 4 + 1]! * 19235 + rgba[i * 4 + 2]! * 3735 + 0x4000) >> 15;
  }
  return out;
}

/** Slopes by Sobel's 3 x 3 kernels, the edges of the picture drawn out. */
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
      const falling = plane[below + after]! - plane[above + before]!;
      const rising = plane[above + after]! - plane[below + before]!;
      const right = falling + rising + 2 * (plane[row + after]! - plane[row + before]!);
      const down = falling - rising + 2 * (plane[below + x]! - plane[above + x]!);
      gradient.right[i] = right;
      gradient.down[i] = down;
      gradient.norm[i] = Math.abs(right) + Math.abs(down);
    }
  }
  return gradient;
}

/** Of each pixel the gradient that is larger, the first where both are equal. */
function stronger(one: Gradient, other: Gradient): Gradient {
  other.norm.forEach((norm, i) => {
    if (norm <= one.norm[i]!) return;
    one.norm[i] = norm;
    one.right[i] = other.right[i]!;
    one.down[i] = other.down[i]!;
  });
  return one;
}

/** tan(22.5°) in 15 bits of fraction. */
const tan22 = 13573;

/** 1 where the gradient is above `low` and largest along its own direction, of four; beyond the picture it counts as 0. */
function ridges({ norm, right, down }: Gradient, width: number, height: number, low: number): Uint8Array {
  const out = new Uint8Array(norm.length);
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : norm[y * width + x]!);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const size = norm[i]!;
      if (size <= low) continue;
      const [dx, dy] = [Math.abs(right[i]!), Math.abs(down[i]!) * 2 ** 15];
      if (dy < dx * tan22) out[i] = Number(size > at(x - 1, y) && size >= at(x + 1, y));
      else if (dy > dx * (tan22 + 2 ** 16)) out[i] = Number(size > at(x, y - 1) && size >= at(x, y + 1));
      else {
        const side = right[i]! < 0 === down[i]! < 0 ? 1 : -1;
        out[i] = Number(size > at(x - side, y - 1) && size > at(x + side, y + 1));
      }
    }
  }
  return out;
}

/** Those of the ridges that touch, over others of them, one above `high`. */
function connected(ridge: Uint8Array, norm: Int32Array, high: number, width: number): Uint8Array {
  const edges = new Uint8Array(ridge.length);
  const open: number[] = [];
  const take = (i: number) => {
    if (edges[i] === 1 || ridge[i] !== 1) return;
    edges[i] = 1;
    open.push(i);
  };
  for (let i = 0; i < ridge.length; i++) if (norm[i]! > high) take(i);
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const x = i % width;
    for (let dx = x === 0 ? 0 : -1; dx <= (x === width - 1 ? 0 : 1); dx++) {
      for (const row of [i - width, i, i + width]) if (row >= 0 && row < ridge.length) take(row + dx);
    }
  }
  return edges;
}
