import { InvalidOptionError, lazyImport } from '@sd/core';
import { describe } from '@sd/core/options';
import type { PromptSyntax, PromptSyntaxName } from '@sd/tokenizer/prompt';
import { plain } from '@sd/tokenizer/prompt/plain';

/** Checks the type of the option `syntax`; names are checked by `loadSyntax`. Throws an InvalidOptionError. */
export function checkSyntax(syntax: unknown): asserts syntax is PromptSyntaxName | PromptSyntax | undefined {
  if (syntax === undefined || typeof syntax === 'string') return;
  const { name, parse, weigh, align, chunks } = (syntax ?? {}) as Partial<PromptSyntax>;
  const isComplete =
    typeof name === 'string' && [parse, weigh, align].every((member) => typeof member === 'function') && !!chunks;
  if (isComplete) return;
  throw new InvalidOptionError(
    'syntax',
    `must be a name, or an object with name, parse, chunks, weigh and align, not ${describe(syntax)}.`,
  );
}

/** Loads the parser of a syntax when it is first used. Rejects with an InvalidOptionError for an unknown name. */
export async function loadSyntax(syntax: PromptSyntaxName | PromptSyntax = plain): Promise<PromptSyntax> {
  if (typeof syntax !== 'string') return syntax;
  if (syntax === plain.name) return plain;
  const { promptSyntaxNamed } = await lazyImport(() => import('@sd/tokenizer/prompt'));
  return promptSyntaxNamed(syntax);
}
