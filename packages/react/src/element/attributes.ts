import type { GenerateOptions } from '@sd/pipeline';

/** The attributes that are options of `generate()`, and the option of each. */
const numbers = {
  steps: 'steps',
  seed: 'seed',
  width: 'width',
  height: 'height',
  'guidance-scale': 'guidanceScale',
  strength: 'strength',
} as const satisfies Record<string, keyof GenerateOptions>;

const texts = {
  prompt: 'prompt',
  'negative-prompt': 'negativePrompt',
  scheduler: 'scheduler',
} as const satisfies Record<string, keyof GenerateOptions>;

/** The options that an element's attributes give. A number that is none is refused by `generate()`, by name. */
export function optionsOf(element: Element): GenerateOptions {
  const options: Record<string, string | number> = { prompt: '' };
  for (const [attribute, option] of Object.entries(texts)) {
    const value = element.getAttribute(attribute);
    if (value !== null) options[option] = value;
  }
  for (const [attribute, option] of Object.entries(numbers)) {
    const value = element.getAttribute(attribute);
    if (value !== null && value.trim() !== '') options[option] = Number(value);
  }
  return options as unknown as GenerateOptions;
}
