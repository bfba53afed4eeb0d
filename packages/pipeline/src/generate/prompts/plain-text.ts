import type { PromptSyntax, PromptText } from '@sd/tokenizer/prompt';

/** Whether `Tokenizer.encode` alone suffices for a text: one window, without weights, sections or named words. */
export function isPlain(text: PromptText, { chunks }: PromptSyntax): boolean {
  if (chunks.maxChunks !== 1 || text.clauses.length !== 1 || hasWeights(text)) return false;
  const [{ mix }] = text.clauses;
  const [{ sections }] = mix;
  const namesWord = sections.flat().some(({ word }) => word !== undefined);
  const pooledFromText = text.pooledFrom === undefined || text.pooledFrom === textWithoutWeights(text);
  return sections.length <= 1 && !namesWord && pooledFromText;
}

/** Whether any part of a text is weighted. */
export function hasWeights({ clauses }: PromptText): boolean {
  return clauses.some(
    ({ weight, mix }) =>
      weight !== 1 ||
      mix.length > 1 ||
      mix.some((passage) => passage.weight !== 1 || passage.sections.flat().some((fragment) => fragment.weight !== 1)),
  );
}

/** The words of a text, without its weights. */
export function textWithoutWeights({ clauses, separator = '' }: PromptText): string {
  const sections = clauses.flatMap(({ mix }) => mix.flatMap((passage) => passage.sections));
  return sections.map((fragments) => fragments.map(({ text }) => text).join(separator)).join(' ');
}
