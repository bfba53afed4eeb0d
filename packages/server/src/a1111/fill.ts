import type { Pixels } from '@sd/image';
import { blur } from './blur.js';
import type { Mask } from './mask.js';

/** The sigmas of the blurs that are laid over each other, and how often each. */
const layers = [
  [256, 1],
  [64, 1],
  [16, 2],
  [4, 4],
  [2, 2],
  [0, 1],
] as const;

/** Fills what is masked with the colours around it, blurred more the further away they are: A1111's modules/masking.py. */
export function fillFromAround(image: Pixels, mask: Mask): Pixels {
  const size = image.width * image.height;
  const kept = mask.data.map((value) => 1 - value / 255);
  const channels = [0, 1, 2].map((channel) => kept.map((alpha, i) => alpha * image.data[i * 4 + channel]));
  const filled = new Float32Array(size * 3);
  for (const [sigma, repeats] of layers) {
    const alpha = blur(kept, image, sigma);
    const colours = channels.map((channel) => blur(channel, image, sigma));
    for (let i = 0; i < size; i++) {
      if (alpha[i] < 1 / 255) continue;
      const below = (1 - Math.min(1, alpha[i])) ** repeats;
      for (let channel = 0; channel < 3; channel++) {
        const colour = colours[channel][i] / alpha[i];
        filled[i * 3 + channel] = colour + (filled[i * 3 + channel] - colour) * below;
      }
    }
  }
  const data = new Uint8ClampedArray(size * 4);
  for (let i = 0; i < size; i++) data.set([...filled.subarray(i * 3, i * 3 + 3), 255], i * 4);
  return { width: image.width, height: image.height, data };
}
