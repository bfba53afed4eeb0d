import { constantPlan, textOf } from '../prompt-plan.js';
import type { PromptSyntax } from '../prompt-syntax.js';

/** No syntax at all, as in diffusers: every character is text, and what does not fit one window is left out. */
export const plain: PromptSyntax<'plain'> = {
  name: 'plain',
  parse: (text) => constantPlan(textOf([text === '' ? [] : [{ text, weight: 1 }]])),
  chunks: { maxChunks: 1 },
  weigh: (hidden) => hidden,
  align: (texts) => texts.map(({ embedding }) => embedding),
};
