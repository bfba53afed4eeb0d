import type { Pixels } from '@sd/image';
import type { Mask } from './mask.js';

/** A part of an image, in pixels. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The part of an image around what is masked, with a padding, made longer to the aspect ratio of the run as far as the image
 * reaches: A1111's `get_crop_region_v2` and `expand_crop_region`.
 */
export function regionOf(
  mask: Mask,
  run: { readonly width: number; readonly height: number; readonly padding: number },
): Region {
  let [left, top, right, bottom] = [mask.width, mask.height, 0, 0];
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      if (mask.data[y * mask.width + x] < 0.5) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    }
  }
  const { padding } = run;
  const box = {
    x: extent(left - padding, right + padding, mask.width),
    y: extent(top - padding, bottom + padding, mask.height),
  };
  const ratio = run.width / run.height;
  if (box.x.size / box.y.size > ratio) box.y = lengthen(box.y, Math.round(box.x.size / ratio), mask.height);
  else box.x = lengthen(box.x, Math.round(box.y.size * ratio), mask.width);
  return { left: box.x.start, top: box.y.start, width: box.x.size, height: box.y.size };
}

interface Extent {
  readonly start: number;
  readonly size: number;
}

function extent(start: number, end: number, limit: number): Extent {
  const from = Math.max(0, start);
  return { start: from, size: Math.min(limit, end) - from };
}

/** Lengthens on both sides, moved into the image where it would leave it. */
function lengthen({ start, size }: Extent, wanted: number, limit: number): Extent {
  const longer = Math.min(wanted, limit);
  const from = Math.round(start - (longer - size) / 2);
  return { start: Math.min(Math.max(0, from), limit - longer), size: longer };
}

export function crop({ width, data }: Pixels, { left, top, ...size }: Region): Pixels {
  const part = new Uint8ClampedArray(size.width * size.height * 4);
  for (let y = 0; y < size.height; y++) {
    const from = ((top + y) * width + left) * 4;
    part.set(data.subarray(from, from + size.width * 4), y * size.width * 4);
  }
  return { ...size, data: part };
}

/** An image with a part of it replaced, as far as the mask says so. */
export function paste(image: Pixels, part: Pixels, { left, top }: Region, mask: Mask): Pixels {
  const data = new Uint8ClampedArray(image.data);
  for (let y = 0; y < part.height; y++) {
    for (let x = 0; x < part.width; x++) {
      const at = (top + y) * image.width + left + x;
      const weight = mask.data[at] / 255;
      for (let channel = 0; channel < 3; channel++) {
        const before = data[at * 4 + channel];
        data[at * 4 + channel] = before + (part.data[(y * part.width + x) * 4 + channel] - before) * weight;
      }
    }
  }
  return { width: image.width, height: image.height, data };
}
