import { InvalidOptionError } from '@sd/core';
import { checkWhole, describe } from '@sd/core/options';
import type { SdImage } from '@sd/image';
import type { GenerateOptions } from './generate/options/index.js';
import { randomSeed } from './generate/seeds.js';
import type { Pipeline } from './pipeline.js';

/** One end of an interpolation. */
export interface InterpolationEnd {
  readonly prompt?: string;
  readonly negativePrompt?: string;
  readonly seed?: number | bigint;
}

type SetByInterpolation = keyof InterpolationEnd | 'count' | 'variationSeed' | 'variationStrength' | 'blend';

export interface InterpolateOptions extends Omit<GenerateOptions, SetByInterpolation> {
  readonly from: InterpolationEnd & { readonly prompt: string };
  /** Values that are left out are those of `from`. */
  readonly to: InterpolationEnd;
  /** Number of images, both ends included: at least 2. */
  readonly frames: number;
}

export interface InterpolationFrame {
  /** Index of the frame, from 0. */
  readonly frame: number;
  /** Position between the ends, 0 to 1, in equal steps. */
  readonly amount: number;
  readonly image: SdImage;
}

/**
 * Generates images between two prompts, two seeds, or both, each when it is requested: text embeddings are interpolated
 * linearly, noise spherically. The first image is what `generate` makes of `from`, the last what it makes of `to`, except that
 * samplers that add noise at each step use that of `from` throughout. Other options are those of `generate`.
 *
 * Rejects with an InvalidOptionError for invalid ends or numbers of frames, and as `generate` does.
 */
export async function* interpolate(
  pipeline: Pick<Pipeline, 'generate'>,
  { from, to, frames, ...options }: InterpolateOptions,
): AsyncGenerator<InterpolationFrame, void, void> {
  checkWhole('frames', frames, 2);
  for (const [name, end] of Object.entries({ from, to })) {
    if (typeof end === 'object' && end !== null) continue;
    throw new InvalidOptionError(name, `must be an object with prompt, negativePrompt or seed, not ${describe(end)}.`);
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
