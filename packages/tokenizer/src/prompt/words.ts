import { encodeFragments, type WeightedTokens } from './chunks.js';
import type { AnyTokenizer } from './pieces.js';
import type { Fragment, PromptText, Section } from './prompt-plan.js';
import type { PromptSyntax } from './prompt-syntax.js';
import { type WordRun, wordRuns } from './word-runs.js';

/** A word of a text, and where its tokens are in the text's embedding. */
export interface PlacedWord {
  /** As it was written, without punctuation around it. */
  readonly word: string;
  /** Positions among the tokens of all windows, in order. */
  readonly positions: readonly number[];
}

/**
 * The words of a text in order, with the positions of their tokens in the embedding that `encodeTexts` makes of it. Words are
 * separated by spaces, by brackets and weights; a textual inversion is one word. Punctuation alone is no word, and words
 * that were left out by `maxChunks` are not listed. Of texts that are mixed, all have their words, at the same positions.
 */
export function placeWords({ clauses }: PromptText, tokenizer: AnyTokenizer, syntax: PromptSyntax): PlacedWord[] {
  const words: PlacedWord[] = [];
  let clauseStart = 0;
  for (const { mix } of clauses) {
    const passages = mix.map(({ sections }) => {
      const { chunks } = encodeFragments(tokenizer, sections, syntax.chunks);
      words.push(...wordsOfPassage(sections, chunks, clauseStart, textTokenizer(tokenizer, syntax)));
      return chunks.length * tokenizer.maxLength;
    });
    clauseStart += Math.max(...passages);
  }
  return words;
}

/** The tokenizer of text: where inversions are only `named`, it does not know them. */
function textTokenizer(tokenizer: AnyTokenizer, { chunks }: PromptSyntax): AnyTokenizer {
  return 'base' in tokenizer && chunks.words === 'named' ? tokenizer.base : tokenizer;
}

function wordsOfPassage(
  sections: readonly Section[],
  windows: readonly WeightedTokens[],
  start: number,
  tokenizer: AnyTokenizer,
): PlacedWord[] {
  const tokens = tokensByFragment(windows, start);
  return sections.flat().flatMap((fragment, i) => {
    const { ids = [], positions = [] } = tokens.get(i) ?? {};
    let next = 0;
    return runsOf(fragment, ids, tokenizer).flatMap(({ word, count }) => {
      const placed = positions.slice(next, next + count);
      next += count;
      return word === undefined || count === 0 ? [] : [{ word, positions: placed }];
    });
  });
}

function runsOf({ text, word }: Fragment, ids: readonly number[], tokenizer: AnyTokenizer): readonly WordRun[] {
  return word === undefined ? wordRuns(text, ids, (part) => tokenizer.tokenize(part)) : [{ word, count: ids.length }];
}

interface FragmentTokens {
  readonly ids: number[];
  readonly positions: number[];
}

/** The tokens of each fragment, by its index, and their positions in all windows together, counted from `start`. */
function tokensByFragment(windows: readonly WeightedTokens[], start: number): ReadonlyMap<number, FragmentTokens> {
  const tokens = new Map<number, FragmentTokens>();
  windows.forEach(({ ids, fragments }, window) => {
    fragments.forEach((fragment, i) => {
      if (fragment === -1) return;
      const found = tokens.get(fragment) ?? { ids: [], positions: [] };
      found.ids.push(ids[i]);
      found.positions.push(start + window * ids.length + i);
      tokens.set(fragment, found);
    });
  });
  return tokens;
}
