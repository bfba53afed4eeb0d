import type { PromptSyntax, PromptText } from '@sd/tokenizer/prompt';

/** Whether `Tokenizer.encode` alone can read a text: it is cut after one window, and has no weights, sections or named words. */
export function isPlain(text: PromptText, { chunks }: PromptSyntax): boolean {
  if (chunks.maxChunks !== 1 || text.clauses.length !== 1 || hasWeights(text)) return false;
  const [{ mix }] = text.clauses;
  const [{ sections }] = mix;
  const namesWord = sections.flat().some(({ word }) => word !== undefined);
  return (
    sections.length <= 1 && !namesWord && (text.pooledFrom ?? textWithoutWeights(text)) === textWithoutWeights(text)
  );
}

/** Whether anything in a text has a weight. */
export function hasWeights({ clauses }: PromptText): boolean {
  return clauses.some(
    ({ weight, mix }) =>
      weight !== 1 ||
      mix.length > 1 ||
      mix.some((passage) => passage.weight !== 1 || passage.sections.flat().some((fragment) => fragment.weight !== 1)),
  );
}

/** A text without its weights. */
export function textWithoutWeights({ clauses, separator = '' }: PromptText): string {
  const sections = clauses.flatMap(({ mix }) => mix.flatMap((passage) => passage.sections));
  return sections.map((fragments) => fragments.map(({ text }) => text).join(separator)).join(' ');
}
