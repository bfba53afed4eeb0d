import type { NoiseLevel } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import type { PassDenoiser } from '../count-calls.js';

export interface KnownRegionOptions {
  /** The latents of the image, [channels, h, w]. */
  readonly image: Float32Array;
  /** The noise that the run started with. */
  readonly noise: Float32Array;
  /** [h, w]: 1 is repainted, 0 kept, values between are mixed. */
  readonly mask: Float32Array;
}

/** Keeps a region of an image while the rest is repainted. */
export interface KnownRegion {
  /**
   * A denoiser for one pass, which sees the image, as noisy as the sample, where it is kept, and estimates it there. At its
   * first call it sees what the pass starts with, which may be noise alone.
   */
  denoiser(model: PassDenoiser): PassDenoiser;
  /** A sample with the image where it is kept: as noisy as the sample, or clean. */
  sample(x: Float32Array, level: NoiseLevel | 'clean'): Float32Array;
}

/**
 * Inpainting with a model that knows nothing of masks. diffusers puts the image back into the sample after every step. Here
 * the model sees it put back, and samplers need not know: they treat each value by itself, so that what is repainted comes
 * out the same, and what is kept is put in place when a step is reported.
 *
 * Where the mask is between 0 and 1, the sample is the sampler's and the estimate a mixture, so that the result fades from
 * the image to what was painted.
 */
export function knownRegion({ image, noise, mask }: KnownRegionOptions): KnownRegion {
  const sample: KnownRegion['sample'] = (x, level) => {
    const kept = level === 'clean' ? image : addNoise(image, noise, level);
    return x.map((value, i) => (mask[i % mask.length] === 0 ? kept[i] : value));
  };
  const blended = (estimate: Float32Array) =>
    estimate.map((value, i) => {
      const amount = mask[i % mask.length];
      return amount === 1 ? value : amount * value + (1 - amount) * image[i];
    });
  return {
    sample,
    denoiser(model) {
      let last: { x: Float32Array; level: NoiseLevel; seen: Float32Array } | undefined;
      // `unconditional` gets what the model just saw, which it recognises by its being the same array.
      const seen = (x: Float32Array, level: NoiseLevel) => {
        if (last?.x === x && last.level === level) return last.seen;
        last = { x, level, seen: last === undefined ? x : sample(x, level) };
        return last.seen;
      };
      const denoiser: PassDenoiser = Object.assign(
        async (x: Float32Array, level: NoiseLevel, progress?: Parameters<PassDenoiser>[2]) =>
          blended(await model(seen(x, level), level, progress)),
        {
          unconditional: async (x: Float32Array, level: NoiseLevel, progress?: Parameters<PassDenoiser>[2]) =>
            blended(await model.unconditional(seen(x, level), level, progress)),
        },
      );
      return denoiser;
    },
  };
}
