import { InvalidOptionError } from '@sd/core';
import { parseA1111 } from './a1111.js';
import { parseComfyui } from './comfyui.js';
import { parseCompel } from './compel/parse.js';
import { type PromptPlan, type PromptSyntax, steadyPlan, textOf } from './plan.js';

export interface ParseOptions {
  /** `a1111` by default: what most prompts are written in. */
  readonly syntax?: PromptSyntax;
  /** Is it a negative prompt? A1111 reads neither `AND` nor `<lora:...>` in one. */
  readonly negative?: boolean;
}

/**
 * What a prompt asks for, read by the rules of A1111, ComfyUI or compel, or by none (`plain`). Any string is a prompt:
 * what fits no rule is text.
 *
 * Throws an InvalidOptionError for what is no string, and for a syntax that is none of these.
 */
export function parsePrompt(text: string, { syntax = 'a1111', negative = false }: ParseOptions = {}): PromptPlan {
  if (typeof text !== 'string') throw new InvalidOptionError('text', `a string is wanted, not ${typeof text}.`);
  switch (syntax) {
    case 'a1111':
      return parseA1111(text, negative);
    case 'comfyui':
      return steadyPlan(syntax, textOf([parseComfyui(text)]));
    case 'compel':
      return parseCompel(text);
    case 'plain':
      return steadyPlan(syntax, textOf([text === '' ? [] : [{ text, weight: 1 }]]));
    default:
      throw new InvalidOptionError('syntax', `${JSON.stringify(syntax)} is none of a1111, comfyui, compel and plain.`);
  }
}
