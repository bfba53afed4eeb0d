import type { GuidedDenoiser, NoiseLevel } from '@sd/core';
import { addNoise } from '@sd/scheduler';

export interface KeepOptions {
  /** The latents of the picture, [channels, h, w]. */
  readonly image: Float32Array;
  /** The noise that the run started with. */
  readonly noise: Float32Array;
  /** [h, w]: 1 is repainted, 0 kept, what is between is mixed. */
  readonly mask: Float32Array;
}

/** Holds a part of a picture while the rest is repainted. */
export interface Keeper {
  /**
   * A denoiser for one run, that sees the picture, as noisy as the sample, where it is kept, and that estimates it there. At
   * its first call it sees what the run starts with, which may be noise alone.
   */
  denoiser(model: GuidedDenoiser): GuidedDenoiser;
  /** A sample with the picture where it is kept: as noisy as the sample, or clean. */
  sample(x: Float32Array, level: NoiseLevel | 'clean'): Float32Array;
}

/**
 * Inpainting with a model that knows nothing of masks. diffusers puts the picture back into the sample after every step;
 * here the model is shown it, and samplers need not know: they take each value by itself, so that what is repainted comes
 * out the same, and what is kept is put in place when a step is told.
 *
 * Where the mask is between 0 and 1, the sample is the sampler's own and the estimate a mixture, so that the result fades
 * from the picture to what was painted.
 */
export function keepOutside({ image, noise, mask }: KeepOptions): Keeper {
  const sample: Keeper['sample'] = (x, level) => {
    const kept = level === 'clean' ? image : addNoise(image, noise, level);
    return x.map((value, i) => (mask[i % mask.length] === 0 ? kept[i]! : value));
  };
  const estimated = (estimate: Float32Array) =>
    estimate.map((value, i) => {
      const part = mask[i % mask.length]!;
      return part === 1 ? value : part * value + (1 - part) * image[i]!;
    });
  return {
    sample,
    denoiser(model) {
      let last: { x: Float32Array; level: NoiseLevel; shown: Float32Array } | undefined;
      // `unconditional` is asked for what the model was just shown, and knows it again by its being the same array.
      const shown = (x: Float32Array, level: NoiseLevel) => {
        if (last?.x === x && last.level === level) return last.shown;
        last = { x, level, shown: last === undefined ? x : sample(x, level) };
        return last.shown;
      };
      const { unconditional } = model;
      return Object.assign(
        async (x: Float32Array, level: NoiseLevel) => estimated(await model(shown(x, level), level)),
        unconditional && {
          unconditional: async (x: Float32Array, level: NoiseLevel) =>
            estimated(await unconditional(shown(x, level), level)),
        },
      );
    },
  };
}
