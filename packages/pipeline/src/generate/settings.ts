import type { GenerateOptions } from './options/index.js';

/**
 * The settings that an image keeps, under A1111's names, as options of `generate()`. Those that it has no option for are left
 * out, and so are values that are no numbers.
 */
export function optionsFromSettings(settings: Readonly<Record<string, string>>): Partial<GenerateOptions> {
  const options: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(settings)) {
    if (!Object.hasOwn(readers, name)) continue;
    for (const [option, value] of Object.entries(readers[name](text, settings))) {
      if (value !== undefined && !Number.isNaN(value)) options[option] = value;
    }
  }
  return options;
}

type Reader = (text: string, settings: Readonly<Record<string, string>>) => Partial<GenerateOptions>;

const readers: Readonly<Record<string, Reader>> = {
  Steps: (text) => ({ steps: Number(text) }),
  Sampler: (text, settings) => ({ scheduler: withSchedule(text, settings['Schedule type']) }),
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

/** A1111 since version 1.9 and ComfyUI name the spacing by itself. Those other than Karras's are the model's to choose. */
function withSchedule(sampler: string, schedule = ''): string {
  return /^karras$/i.test(schedule) && !/karras$/i.test(sampler) ? `${sampler} Karras` : sampler;
}

function seedOf(text: string): number | bigint {
  const seed = Number(text);
  return Number.isSafeInteger(seed) || !/^-?\d+$/.test(text) ? seed : BigInt(text);
}
