import { InvalidOptionError, show } from '@sd/core';
import type { PromptSyntax } from '../prompt-syntax.js';
import { a1111 } from './a1111.js';
import { comfyui } from './comfyui.js';
import { compel } from './compel.js';
import { plain } from './plain.js';

/** The prompt syntaxes that have a name. */
export const promptSyntaxes = [plain, a1111, comfyui, compel] as const;

export type PromptSyntaxName = (typeof promptSyntaxes)[number]['name'];

/** A syntax by its name. Throws an InvalidOptionError that lists the names. */
export function promptSyntaxNamed(name: PromptSyntaxName): PromptSyntax {
  const syntax = promptSyntaxes.find((candidate) => candidate.name === name);
  if (syntax !== undefined) return syntax;
  const names = promptSyntaxes.map((known) => known.name).join(', ');
  throw new InvalidOptionError('syntax', `is ${show(name)}; it must be one of ${names}, or a PromptSyntax object.`);
}
