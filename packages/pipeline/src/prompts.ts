import { InvalidOptionError } from '@sd/core';

/** One of several prompts that make a picture together. */
export interface WeightedPrompt {
  readonly text: string;
  /** How much of it: 1 by default, below 0 to steer away from it. */
  readonly weight?: number;
}

/** A prompt, or several, as a list with weights. Throws an InvalidOptionError. */
export function readPrompts(prompt: string | readonly WeightedPrompt[]): Required<WeightedPrompt>[] {
  if (typeof prompt === 'string') return [{ text: prompt, weight: 1 }];
  if (!Array.isArray(prompt) || prompt.length === 0) {
    throw new InvalidOptionError('prompt', `must be a string or a list of { text, weight }, not ${describe(prompt)}.`);
  }
  return prompt.map((one: WeightedPrompt, i) => {
    const { text, weight = 1 } = one ?? {};
    if (typeof text === 'string' && Number.isFinite(weight)) return { text, weight };
    throw new InvalidOptionError('prompt', `must have a text and a finite weight at ${i}, not ${describe(one)}.`);
  });
}

/** Prompts as one text, in A1111's syntax: `a lake :0.7 AND a forest`. */
export function promptText(prompts: readonly Required<WeightedPrompt>[]): string {
  return prompts.map(({ text, weight }) => (weight === 1 ? text : `${text} :${weight}`)).join(' AND ');
}

function describe(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
