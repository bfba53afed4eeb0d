import { InvalidOptionError } from '@sd/core';
import type { PromptPlan } from './prompt-plan.js';
import type { PromptSyntax } from './prompt-syntax.js';
import { type PromptSyntaxName, promptSyntaxNamed } from './syntaxes/index.js';

export interface ParseOptions {
  /** A syntax or its name: `a1111` by default, which most prompts are written in. */
  readonly syntax?: PromptSyntaxName | PromptSyntax;
  /** Whether it is a negative prompt: A1111 reads neither `AND` nor `<lora:...>` in those. False by default. */
  readonly negative?: boolean;
}

/**
 * Parses a prompt by the rules of a syntax. Any string is a prompt: what fits no rule is text.
 *
 * Throws an InvalidOptionError if the text is not a string, or the syntax is unknown.
 */
export function parsePrompt(text: string, { syntax = 'a1111', negative = false }: ParseOptions = {}): PromptPlan {
  if (typeof text !== 'string') throw new InvalidOptionError('text', `must be a string, not ${typeof text}.`);
  const rules = typeof syntax === 'string' ? promptSyntaxNamed(syntax) : syntax;
  return rules.parse(text, { negative });
}
