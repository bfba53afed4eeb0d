import type { ImageModelV4CallOptions } from '@ai-sdk/provider';
import { InvalidOptionError } from '@sd/core';
import type { GenerateOptions } from '@sd/pipeline';
import { fileBytes, maskPixels } from './files.js';

/** Options that the AI SDK has itself, or whose results it has no place for. */
const taken = ['prompt', 'width', 'height', 'seed', 'count', 'image', 'mask', 'signal', 'onStep', 'output'] as const;

/** `providerOptions.sd`: the options of `generate()` that the AI SDK lacks, as far as they are JSON. */
export type SdImageOptions = Omit<GenerateOptions, (typeof taken)[number]>;

/**
 * A call's options as those of `generate()`. Rejects with an InvalidOptionError, a SourceError for an address that cannot be
 * read, or an AbortError.
 */
export async function generateOptions(call: ImageModelV4CallOptions): Promise<GenerateOptions> {
  const { prompt = '', n, size, seed, files, mask, abortSignal: signal, providerOptions } = call;
  const own = (providerOptions.sd ?? {}) as SdImageOptions;
  for (const name of taken) {
    if (name in own)
      throw new InvalidOptionError(
        `providerOptions.sd.${name}`,
        'is not an option here: use those of generateImage().',
      );
  }
  const image = files?.[0];
  if (mask !== undefined && image === undefined)
    throw new InvalidOptionError(
      'prompt.mask',
      'needs an image: generateImage({ prompt: { images: [image], mask } }).',
    );
  return {
    ...own,
    prompt,
    count: n,
    signal,
    ...(size !== undefined && sizeOf(size)),
    ...(seed !== undefined && { seed }),
    ...(image !== undefined && { image: await fileBytes(image, signal) }),
    ...(mask !== undefined && { mask: await maskPixels(mask, signal) }),
  };
}

function sizeOf(size: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size) ?? [];
  if (width === undefined)
    throw new InvalidOptionError('size', `must be WIDTHxHEIGHT, such as 512x512, not '${size}'.`);
  return { width: Number(width), height: Number(height) };
}
