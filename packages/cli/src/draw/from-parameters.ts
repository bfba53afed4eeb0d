import type { ReadParameters } from '@sd/image';
import { type GenerateOptions, schedulerNamed } from '@sd/pipeline';

/** The settings that an image keeps, under A1111's names, as options of `generate()`. Unknown settings are left out. */
export function optionsFrom({ prompt, negativePrompt, settings }: ReadParameters): Partial<GenerateOptions> {
  const options: Record<string, unknown> = { prompt };
  if (negativePrompt !== '') options.negativePrompt = negativePrompt;
  for (const [name, text] of Object.entries(settings)) Object.assign(options, readers[name]?.(text));
  return options;
}

const readers: Readonly<Record<string, (text: string) => Partial<GenerateOptions>>> = {
  Steps: (text) => ({ steps: Number(text) }),
  Sampler: (text) => ({ scheduler: schedulerNamed(text) }),
  'CFG scale': (text) => ({ guidanceScale: Number(text) }),
  'CFG rescale': (text) => ({ guidanceRescale: Number(text) }),
  Seed: (text) => ({ seed: seedOf(text) }),
  Size(text) {
    const [width, height] = text.split('x').map(Number);
    return { width, height };
  },
  // A1111 counts the last layer.
  'Clip skip': (text) => ({ clipSkip: Number(text) - 1 }),
  'Variation seed': (text) => ({ variationSeed: seedOf(text) }),
  'Variation seed strength': (text) => ({ variationStrength: Number(text) }),
};

function seedOf(text: string): number | bigint {
  const seed = Number(text);
  return Number.isSafeInteger(seed) || !/^-?\d+$/.test(text) ? seed : BigInt(text);
}
