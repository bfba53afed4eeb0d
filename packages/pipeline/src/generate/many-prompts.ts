import { InvalidOptionError, row, stack, type Tensor } from '@sd/core';
import type { GenerateResult, PipelineEvent } from './events.js';
import type { GenerateOptions } from './options/index.js';
import { checkPrompt } from './options/prompts.js';
import { randomSeed } from './seeds.js';

type Stream = AsyncGenerator<PipelineEvent, GenerateResult, void>;

type ManyPrompts = Omit<GenerateOptions, 'prompt'> & { readonly prompt: readonly string[] };

/** Whether the options have a list of texts, each of which is drawn. */
export function isManyPrompts(options: GenerateOptions): options is ManyPrompts {
  const prompt: unknown = options?.prompt;
  return Array.isArray(prompt) && prompt.length > 0 && prompt.every((text) => typeof text === 'string');
}

/**
 * Draws each prompt of a list as a run of its own; other requests may come between them. Indices and seeds go on from one to
 * the next, so that each image is that of a run with its prompt and seed alone.
 */
export async function* drawPrompts(options: ManyPrompts, streamOf: (options: GenerateOptions) => Stream): Stream {
  const { count = 1, seed = randomSeed(), variationStrength, variationSeed } = options;
  if (options.prompt.length * count > maxImages) {
    throw new InvalidOptionError('prompt', `asks for more than ${maxImages} images in one call. Draw them in parts.`);
  }
  for (const [i, text] of options.prompt.entries()) checkPrompt(`prompt[${i}]`, text);
  const results: GenerateResult[] = [];
  let drawn = 0;
  for (const [i, prompt] of options.prompt.entries()) {
    const first = i * count;
    const seeds =
      variationStrength === undefined ? { seed: after(seed, first) } : variationSeeds(seed, variationSeed, first);
    const stream = streamOf({ ...options, prompt, ...seeds });
    let last: IteratorResult<PipelineEvent, GenerateResult>;
    try {
      for (last = await stream.next(); !last.done; last = await stream.next()) {
        const event = last.value;
        if (event.type === 'done') continue;
        if (event.type === 'encode') yield event;
        else yield { ...event, index: event.index + (event.type === 'image' ? drawn : first) };
      }
    } finally {
      await stream.return(undefined as never);
    }
    results.push(last.value);
    drawn += last.value.images.length;
  }
  const { images, ...done } = joined(results);
  yield { type: 'done', ...done };
  return { images, ...done };
}

/** Each is kept until the end. */
const maxImages = 10_000;

const after = (seed: number | bigint, by: number) => (typeof seed === 'bigint' ? seed + BigInt(by) : seed + by);

/** Variations share the seed, and have one of their own each. */
function variationSeeds(seed: number | bigint, variationSeed: number | bigint | undefined, by: number) {
  return { seed, variationSeed: variationSeed === undefined ? undefined : after(variationSeed, by) };
}

function joined(results: readonly GenerateResult[]): GenerateResult {
  const latents = results.flatMap(({ latents }) => (latents === undefined ? [] : rowsOf(latents)));
  const sum = (name: keyof GenerateResult['timings']) => results.reduce((all, { timings }) => all + timings[name], 0);
  const variations = results.flatMap(({ variationSeeds = [] }) => variationSeeds);
  const warnings = new Map(results.flatMap((result) => result.warnings.map((warning) => [warning.message, warning])));
  return {
    images: results.flatMap(({ images }) => images),
    latents: latents.length > 0 ? stack(latents) : undefined,
    seeds: results.flatMap(({ seeds }) => seeds),
    variationSeeds: variations.length > 0 ? variations : undefined,
    timings: { encode: sum('encode'), denoise: sum('denoise'), decode: sum('decode'), total: sum('total') },
    warnings: [...warnings.values()],
  };
}

function rowsOf(tensor: Tensor<'float32'>): Tensor<'float32'>[] {
  return Array.from({ length: tensor.dims[0] }, (_, i) => row(tensor, i));
}
