import { loadSyntax, type ParsedPrompts, parsePrompts } from './prompts/index.js';
import type { Request } from './request.js';

/** Parses the prompts of a request in their syntax. Rejects with an InvalidOptionError. */
export async function parseRequest({ promptSettings, usesNegative, passes, signal }: Request): Promise<ParsedPrompts> {
  const syntax = await loadSyntax(promptSettings.syntax);
  return parsePrompts({ ...promptSettings, syntax, usesNegative, passes, signal });
}

/** Samples of each call of the noise predictor: the prompts, and the negative prompt. */
export function batchOf({ positive, negative }: ParsedPrompts): number {
  return positive.at(0, 0).length + (negative === undefined ? 0 : 1);
}
