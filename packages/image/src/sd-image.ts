import type { Canvas } from './canvas.js';
import type { SdImage } from './image.js';
import { encodePng } from './png/encode.js';

/** Pixels as the kind of picture that `generate()` gives, without parameters. */
export function sdImage({ width, height, data }: Canvas): SdImage {
  return { width, height, data, toPng: () => encodePng({ width, height, data }) };
}
