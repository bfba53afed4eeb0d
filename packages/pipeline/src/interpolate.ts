import { InvalidOptionError } from '@sd/core';
import { checkWhole, describe } from '@sd/core/options';
import type { SdImage } from '@sd/image';
import type { GenerateOptions } from './generate/options/index.js';
import { randomSeed } from './generate/seeds.js';
import type { Pipeline } from './pipeline.js';

/** An image at one end of an interpolation. */
export interface InterpolationEnd {
  readonly prompt?: string;
  readonly negativePrompt?: string;
  readonly seed?: number | bigint;
}

type SetByInterpolation = keyof InterpolationEnd | 'count' | 'variationSeed' | 'variationStrength' | 'blend';

export interface InterpolateOptions extends Omit<GenerateOptions, SetByInterpolation> {
  readonly from: InterpolationEnd & { readonly prompt: string };
  /** What is left out stays as it is in `from`. */
  readonly to: InterpolationEnd;
  /** How many images, both ends included: 2 or more. */
  readonly frames: number;
}

export interface InterpolationFrame {
  /** From 0. */
  readonly frame: number;
  /** How far between the ends it is, 0 to 1, in equal steps. */
  readonly amount: number;
  readonly image: SdImage;
}

/**
 * Images between two prompts, two seeds, or both, drawn one by one as they are asked for: embeddings go along a line, noises
 * on the sphere. The first is what `generate` draws of `from`; the last what it draws of `to`, unless a sampler adds noise at
 * each step, which is that of `from` in all frames. Other options are those of `generate`.
 *
 * Rejects with an InvalidOptionError for impossible ends or numbers of frames, and as `generate` does.
 */
export async function* interpolate(
  pipeline: Pick<Pipeline, 'generate'>,
  { from, to, frames, ...options }: InterpolateOptions,
): AsyncGenerator<InterpolationFrame, void, void> {
  checkWhole('frames', frames, 2);
  for (const [name, end] of Object.entries({ from, to })) {
    if (typeof end === 'object' && end !== null) continue;
    throw new InvalidOptionError(name, `must be an object with prompt, negativePrompt, seed, not ${describe(end)}.`);
  }
  const { prompt, negativePrompt = '', seed = randomSeed() } = from;
  const changesNoise = to.seed !== undefined && to.seed !== seed;
  const changesPrompt = to.prompt !== undefined || to.negativePrompt !== undefined;
  for (let frame = 0; frame < frames; frame++) {
    const amount = frame / (frames - 1);
    const { images } = await pipeline.generate({
      ...options,
      prompt,
      negativePrompt,
      seed,
      ...(changesNoise && { variationSeed: to.seed, variationStrength: amount }),
      ...(changesPrompt && { blend: { prompt: to.prompt, negativePrompt: to.negativePrompt, amount } }),
    });
    yield { frame, amount, image: images[0] };
  }
}
