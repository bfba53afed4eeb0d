import type { ClipTokenizer } from '../tokenizer.js';
import type { Fragment } from './prompt-plan.js';
import type { WordTokenizer } from './word-tokenizer.js';

/** Tokens that are not divided between chunks. */
export interface Piece {
  readonly ids: readonly number[];
  readonly weight: number;
  /** Index of the fragment of the text that they belong to. */
  readonly fragment: number;
}

export interface PieceOptions {
  /** Whether textual inversions are found in the text, or only where a fragment names one. */
  readonly words: 'text' | 'named';
  /** Words of fewer tokens than this are one piece. */
  readonly wholeWords: number;
}

export type AnyTokenizer = ClipTokenizer | WordTokenizer;

/** The tokens of fragments, and the textual inversions that they name and the tokenizer does not know. */
export function piecesOf(
  tokenizer: AnyTokenizer,
  fragments: readonly Fragment[],
  firstFragment: number,
  { words, wholeWords }: PieceOptions,
): { readonly pieces: Piece[]; readonly missing: string[] } {
  const known = 'words' in tokenizer ? tokenizer.words : new Map<string, readonly number[]>();
  const textTokenizer = 'base' in tokenizer && words === 'named' ? tokenizer.base : tokenizer;
  const vectorIds = new Map([...known.values()].map((ids) => [ids[0], ids]));
  const missing: string[] = [];
  const pieces: Piece[] = [];
  fragments.forEach(({ text, weight, word }, i) => {
    const fragment = firstFragment + i;
    if (word !== undefined) {
      const ids = known.get(word);
      if (ids === undefined) missing.push(word);
      else pieces.push({ ids, weight, fragment });
      return;
    }
    const units = wholeWords > 1 ? text.split(/\s+/) : [text];
    for (const ids of units.map((unit) => textTokenizer.tokenize(unit))) {
      if (ids.length > 0 && ids.length < wholeWords) pieces.push({ ids, weight, fragment });
      else for (const single of singles(ids, vectorIds)) pieces.push({ ids: single, weight, fragment });
    }
  });
  return { pieces, missing };
}

/** Separate tokens, except that those of a word with several vectors stay together. */
function singles(ids: readonly number[], vectorIds: ReadonlyMap<number, readonly number[]>): (readonly number[])[] {
  const pieces: (readonly number[])[] = [];
  for (let i = 0; i < ids.length; ) {
    const piece = vectorIds.get(ids[i]) ?? [ids[i]];
    pieces.push(piece);
    i += piece.length;
  }
  return pieces;
}
