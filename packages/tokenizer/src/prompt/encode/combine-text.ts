import type { Tensor, TextEmbedding } from '@sd/core';
import { withEndTokens } from '../../embedding/end-tokens.js';
import { joinTokens, padTokens } from '../../embedding/lengths.js';
import { mixAblated, weightedSum } from '../../embedding/weights.js';
import type { PromptSyntax } from '../prompt-syntax.js';
import type { DividedClause, DividedPassage, DividedText } from './divide-text.js';
import type { EmbeddingOf, WeightedWindow } from './windows.js';

type Hidden = Tensor<'float32'>;

interface Encoded {
  readonly embeddingOf: EmbeddingOf;
  /** The empty prompt's embedding: one window. */
  readonly empty: Hidden;
  readonly syntax: PromptSyntax;
}

/** Puts the embeddings of a text's windows together: [windows x maxLength, width]. */
export function combineText({ clauses, pooled }: DividedText, encoded: Encoded): TextEmbedding {
  const hidden = joinTokens(clauses.map((clause) => combineClause(clause, encoded)));
  return { hidden, pooled: encoded.embeddingOf(pooled).pooled };
}

/** The weighted sum of the clause's passages, moved to `weight` times its distance from the empty prompt. */
function combineClause({ weight, mix }: DividedClause, encoded: Encoded): Hidden {
  const { empty } = encoded;
  const passages = mix.map((passage) => ({ weight: passage.weight, hidden: combinePassage(passage, encoded) }));
  const tokens = Math.max(...passages.map(({ hidden }) => hidden.dims[0]));
  const sum = weightedSum(
    passages.map((passage) => ({ ...passage, hidden: padTokens(passage.hidden, tokens, empty) })),
  );
  if (weight === 1) return sum;
  return weightedSum([
    { hidden: sum, weight },
    { hidden: padTokens(empty, tokens, empty), weight: 1 - weight },
  ]);
}

function combinePassage({ windows, ends, ablated }: DividedPassage, encoded: Encoded): Hidden {
  const whole = weighWindows(windows, encoded);
  const without = ablated.map((text) => ({
    weight: text.weight,
    hidden: padTokens(weighWindows(text.windows, encoded), whole.dims[0], encoded.empty),
  }));
  return withEndTokens(mixAblated(whole, without), ends, encoded.syntax.endTokens ?? 'own');
}

function weighWindows(windows: readonly WeightedWindow[], { embeddingOf, empty, syntax }: Encoded): Hidden {
  return joinTokens(windows.map((window) => syntax.weigh(embeddingOf(window).hidden, window.tokens.weights, empty)));
}
