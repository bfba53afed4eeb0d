import { encodeFragments } from '../chunks.js';
import type { AnyTokenizer } from '../pieces.js';
import type { PromptText, Section } from '../prompt-plan.js';
import type { PromptSyntax } from '../prompt-syntax.js';
import { type AblatedText, maskFragments, removeFragments } from './down-weighted.js';
import type { WeightedWindow, Window } from './windows.js';

/** A passage as windows. */
export interface DividedPassage {
  /** How much of it goes into its clause. */
  readonly weight: number;
  /** At least one. */
  readonly windows: readonly WeightedWindow[];
  /** Positions of the windows' end tokens in the passage. */
  readonly ends: readonly number[];
  /** For syntaxes that mix in the passage without its down-weighted fragments. */
  readonly ablated: readonly AblatedText[];
  readonly truncated: string;
  /** Textual inversions that are named but unknown. */
  readonly missing: readonly string[];
}

export interface DividedClause {
  readonly weight: number;
  readonly mix: readonly DividedPassage[];
}

/** A text as windows. */
export interface DividedText {
  readonly clauses: readonly DividedClause[];
  /** The window that the pooled vector is of. */
  readonly pooled: Window;
}

/** Divides a text into windows by the rules of a syntax. */
export function divideText(
  { clauses, pooledFrom }: PromptText,
  tokenizer: AnyTokenizer,
  syntax: PromptSyntax,
): DividedText {
  const divided = clauses.map(({ weight, mix }) => ({
    weight,
    mix: mix.map((passage) => ({ weight: passage.weight, ...dividePassage(passage.sections, tokenizer, syntax) })),
  }));
  const pooled = pooledFrom === undefined ? divided[0].mix[0].windows[0] : { tokens: tokenizer.encode(pooledFrom) };
  return { clauses: divided, pooled };
}

function dividePassage(
  sections: readonly Section[],
  tokenizer: AnyTokenizer,
  { chunks: options, downweight }: PromptSyntax,
): Omit<DividedPassage, 'weight'> {
  const { chunks, truncated, missing } = encodeFragments(tokenizer, sections, options);
  const divide = (others: readonly Section[]) => encodeFragments(tokenizer, others, options).chunks;
  const ablated =
    downweight === 'mask'
      ? maskFragments(sections, chunks)
      : downweight === 'remove'
        ? removeFragments(sections, chunks, divide)
        : [];
  return {
    windows: chunks.map((tokens) => ({ tokens })),
    ends: chunks.map(({ length }, i) => i * tokenizer.maxLength + length - 1),
    ablated,
    truncated,
    missing,
  };
}

export function passagesOf({ clauses }: DividedText): DividedPassage[] {
  return clauses.flatMap(({ mix }) => mix);
}

/** All windows that a text needs. */
export function windowsOf(text: DividedText): Window[] {
  const windows = passagesOf(text).flatMap(({ windows, ablated }) => [
    ...windows,
    ...ablated.flatMap((without) => without.windows),
  ]);
  return [text.pooled, ...windows];
}
