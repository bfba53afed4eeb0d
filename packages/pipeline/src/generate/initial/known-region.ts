import type { NoiseLevel } from '@sd/core';
import { addNoise } from '@sd/scheduler';
import type { PassDenoiser } from '../count-calls.js';

export interface KnownRegionOptions {
  /** The latents of the image, [channels, h, w]. */
  readonly image: Float32Array;
  /** The noise that the run started with. */
  readonly noise: Float32Array;
  /** [h, w]: 1 is repainted, 0 kept, values in between are blended. */
  readonly mask: Float32Array;
}

/** Keeps a region of an image while the rest is repainted. */
export interface KnownRegion {
  /**
   * Wraps the denoiser of one pass: in the kept region, the model's input is the image at the sample's noise level, and the
   * estimate is the image. The first call gets the initial sample unchanged, which may be pure noise.
   */
  denoiser(model: PassDenoiser): PassDenoiser;
  /** Puts the image into the kept region of a sample, at a noise level or clean. */
  sample(x: Float32Array, level: NoiseLevel | 'clean'): Float32Array;
}

/**
 * Inpainting with a model that has no mask input. diffusers puts the image back into the sample after every step. Here it is
 * put into the model's input and into the reported steps instead, so that samplers need not know of it. They treat each value
 * separately, so the repainted region is the same either way.
 *
 * Where the mask is between 0 and 1, the sample is left to the sampler and the estimate is blended with the image, so that the
 * result fades from one to the other.
 */
export function knownRegion({ image, noise, mask }: KnownRegionOptions): KnownRegion {
  const sample: KnownRegion['sample'] = (x, level) => {
    const original = level === 'clean' ? image : addNoise(image, noise, level);
    return x.map((value, i) => (mask[i % mask.length] === 0 ? original[i] : value));
  };
  const blended = (estimate: Float32Array) =>
    estimate.map((value, i) => {
      const amount = mask[i % mask.length];
      return amount === 1 ? value : amount * value + (1 - amount) * image[i];
    });
  return {
    sample,
    denoiser(model) {
      let last: { x: Float32Array; level: NoiseLevel; input: Float32Array } | undefined;
      // `unconditional` recognises the model's last input by identity, so it must get the same array.
      const inputOf = (x: Float32Array, level: NoiseLevel) => {
        if (last?.x === x && last.level === level) return last.input;
        last = { x, level, input: last === undefined ? x : sample(x, level) };
        return last.input;
      };
      const denoiser: PassDenoiser = Object.assign(
        async (x: Float32Array, level: NoiseLevel, progress?: Parameters<PassDenoiser>[2]) =>
          blended(await model(inputOf(x, level), level, progress)),
        {
          unconditional: async (x: Float32Array, level: NoiseLevel, progress?: Parameters<PassDenoiser>[2]) =>
            blended(await model.unconditional(inputOf(x, level), level, progress)),
        },
      );
      return denoiser;
    },
  };
}
