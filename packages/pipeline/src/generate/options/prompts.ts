import { InvalidOptionError } from '@sd/core';
import {
  checkFraction,
  checkOptional,
  checkOptions,
  checkText,
  describe,
  fraction,
  type OptionTable,
  text,
  whole,
} from '@sd/core/options';
import type { PromptSyntax, PromptSyntaxName } from '@sd/tokenizer/prompt';
import { checkSyntax, type PromptInput } from '../prompts/index.js';

/** One of several prompts that are composed into one image. */
export interface WeightedPrompt {
  readonly text: string;
  /** 1 by default; a weight below 0 steers away from the prompt. */
  readonly weight?: number;
}

/** Another prompt to mix in. */
export interface BlendOptions {
  /** The run's prompt by default. */
  readonly prompt?: string | undefined;
  readonly negativePrompt?: string | undefined;
  /** From 0, the run's prompt, to 1, the other. */
  readonly amount: number;
}

export interface PromptOptions {
  /**
   * A description of the image, of at most 100,000 characters. A list of texts makes `count` images of each, one after the
   * other, with seeds that go on; a list of objects is composed into one image (arXiv 2206.01714).
   */
  readonly prompt: string | readonly string[] | readonly WeightedPrompt[];
  /** A description of what to avoid; empty by default. */
  readonly negativePrompt?: string | undefined;
  /** The prompt for the second text encoder; `prompt` by default. */
  readonly prompt2?: string | undefined;
  /** The negative prompt for the second text encoder; `negativePrompt` by default. */
  readonly negativePrompt2?: string | undefined;
  /** The prompt for the third text encoder; `prompt` by default. */
  readonly prompt3?: string | undefined;
  /** The negative prompt for the third text encoder; `negativePrompt` by default. */
  readonly negativePrompt3?: string | undefined;
  /**
   * The syntax of the prompts, by name or as an object. In `plain`, the default, brackets are text, and what does not fit the
   * text encoder's window is truncated, as in diffusers. The others have weights, and prompts of any length: `a1111`'s `(word:1.3)`, `[from:to:when]`, `AND`, `BREAK`, `<lora:name:0.7>`; `comfyui`'s; `compel`'s `word++`.
   */
  readonly syntax?: PromptSyntaxName | PromptSyntax | undefined;
  /** Number of the text encoder's last layers to skip; 0 by default. */
  readonly clipSkip?: number | undefined;
  /** Another prompt, whose embedding is mixed with that of `prompt`. */
  readonly blend?: BlendOptions | undefined;
  /**
   * Settings of an image by A1111's names, as `readParameters` reads them: `generate(await readParameters(file))`. Other
   * options come before them, and those that `generate` has no option for have no effect.
   */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** The most characters of a prompt: some 25,000 words, more than anyone writes by hand. */
const maxPromptLength = 100_000;

/** Throws an InvalidOptionError for anything but a text that is short enough. */
export function checkPrompt(option: string, value: unknown): asserts value is string {
  checkText(option, value);
  if (value.length <= maxPromptLength) return;
  throw new InvalidOptionError(
    option,
    `has ${value.length} characters, more than ${maxPromptLength}: no model reads that much.`,
  );
}

/** A row of an option that is a prompt. */
const promptRow = { ...text, check: checkPrompt } as const;

const blendTable: OptionTable<BlendOptions> = {
  prompt: { ...promptRow, text: "The run's own prompt if left out." },
  negativePrompt: { otherNames: ['negative'], ...promptRow, text: "The run's own if left out." },
  amount: { ...fraction, text: "0 is the run's prompt, 1 the other." },
};

export const promptTable: OptionTable<PromptOptions> = {
  prompt: {
    type: 'string | string[] | { text, weight }[]',
    text: 'What to draw: a text, a list of texts to draw one after the other, or weighted ones that are composed into one image (arXiv 2206.01714).',
  },
  negativePrompt: { ...promptRow, default: "''", text: 'What to avoid.' },
  prompt2: {
    ...promptRow,
    default: '`prompt`',
    text: 'What the second text encoder reads (SDXL, Stable Diffusion 3).',
  },
  negativePrompt2: { ...promptRow, default: '`negativePrompt`', text: 'The same for the negative prompt.' },
  prompt3: { ...promptRow, default: '`prompt`', text: 'What the third text encoder reads (Stable Diffusion 3).' },
  negativePrompt3: { ...promptRow, default: '`negativePrompt`', text: 'The same for the negative prompt.' },
  syntax: {
    type: "'plain' | 'a1111' | 'comfyui' | 'compel' | PromptSyntax",
    default: "'plain'",
    text: 'The syntax of the prompts.',
    check: (_, value) => checkSyntax(value as PromptOptions['syntax']),
  },
  clipSkip: {
    ...whole(0),
    default: '0',
    text: "How many of the text encoder's last layers to skip, counted as in diffusers; A1111 counts one more.",
  },
  blend: {
    type: '{ prompt, negativePrompt, amount }',
    text: 'Mixes in the embedding of another prompt, from 0 (none) to 1 (only it).',
    check(option, value) {
      checkOptions(value, blendTable, { of: option, prefix: `${option}.` });
      checkFraction(`${option}.amount`, (value as BlendOptions).amount);
    },
  },
  settings: {
    type: 'object',
    text: "Settings by A1111's names, as `readParameters` reads them from an image; other options come before them.",
    check: (option, value) => checkOptional(option, value, isTexts(value), 'an object of texts by name'),
  },
};

function isTexts(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');
}

/** The prompt options of a request, with defaults filled in but not parsed. */
export interface PromptSettings {
  readonly prompts: readonly PromptInput[];
  readonly negative: PromptInput | undefined;
  readonly syntax: PromptOptions['syntax'];
  readonly clipSkip: number;
  readonly blend: BlendOptions | undefined;
}

/**
 * Fills in the defaults of the prompt options. Throws an InvalidOptionError for options that conflict, or that the model has no
 * text encoder for.
 */
export function readPrompts(options: PromptOptions, encoderCount: number): PromptSettings {
  const prompts = weightedPrompts(options.prompt);
  for (const [encoder, names] of [
    [2, ['prompt2', 'negativePrompt2']],
    [3, ['prompt3', 'negativePrompt3']],
  ] as const) {
    for (const name of names) {
      if (options[name] === undefined || encoder <= encoderCount) continue;
      throw new InvalidOptionError(name, `is for a model with ${encoder} text encoders; this one has ${encoderCount}.`);
    }
  }
  if (prompts.length > 1) {
    for (const name of ['prompt2', 'prompt3', 'blend'] as const) {
      if (options[name] !== undefined) throw new InvalidOptionError(name, 'can be used with a single prompt only.');
    }
  }
  const { negativePrompt, negativePrompt2, negativePrompt3, syntax, clipSkip = 0, blend } = options;
  const alternatives = [negativePrompt2, negativePrompt3];
  const isNegativeGiven = [negativePrompt, ...alternatives].some((given) => given !== undefined);
  return {
    prompts: prompts.map(({ text, weight }, i) => ({
      option: prompts.length === 1 ? 'prompt' : `prompt[${i}]`,
      text,
      weight,
      alternatives: [options.prompt2, options.prompt3],
    })),
    negative: isNegativeGiven
      ? { option: 'negativePrompt', text: negativePrompt ?? '', weight: 1, alternatives }
      : undefined,
    syntax,
    clipSkip,
    blend,
  };
}

function weightedPrompts(prompt: PromptOptions['prompt']): Required<WeightedPrompt>[] {
  if (typeof prompt === 'string') {
    checkPrompt('prompt', prompt);
    return [{ text: prompt, weight: 1 }];
  }
  if (!Array.isArray(prompt) || prompt.length === 0) {
    throw new InvalidOptionError(
      'prompt',
      `must be a string, a list of strings, or a list of { text, weight }, not ${describe(prompt)}.`,
    );
  }
  return (prompt as readonly (WeightedPrompt | null | undefined)[]).map((entry, i) => {
    const { text, weight = 1 } = entry ?? ({} as Partial<WeightedPrompt>);
    checkPrompt(`prompt[${i}].text`, text);
    checkOptional(`prompt[${i}].weight`, weight, Number.isFinite(weight), 'a finite number');
    return { text, weight };
  });
}

/** The prompts as one text in A1111's syntax: `a lake :0.7 AND a forest`. */
export function promptText({ prompts }: PromptSettings): string {
  return prompts.map(({ text, weight }) => (weight === 1 ? text : `${text} :${weight}`)).join(' AND ');
}
