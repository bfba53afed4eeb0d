import { encodePng, type SdImage } from '../image/index.js';
import type { Canvas } from './canvas.js';

/** Pixels as the kind of picture that `generate()` gives, without parameters. */
export function sdImage({ width, height, data }: Canvas): SdImage {
  return { width, height, data, toPng: () => encodePng({ width, height, data }) };
}
