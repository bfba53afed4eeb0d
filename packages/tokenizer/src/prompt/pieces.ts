import type { ClipTokenizer } from '../tokenizer.js';
import type { Fragment } from './plan.js';
import type { WordTokenizer } from './words.js';

/** Tokens that stay together. */
export interface Piece {
  readonly ids: readonly number[];
  readonly weight: number;
  /** Which of the text's fragments they are of. */
  readonly fragment: number;
}

export interface PieceOptions {
  /** Are textual inversions found in the text, or where a fragment names one? */
  readonly words: 'text' | 'named';
  /** Words of fewer tokens than this stay together. */
  readonly wholeWords: number;
}

export type AnyTokenizer = ClipTokenizer | WordTokenizer;

/** The tokens of fragments, and the words that were named and that the tokenizer does not know. */
export function piecesOf(
  tokenizer: AnyTokenizer,
  fragments: readonly Fragment[],
  firstFragment: number,
  { words, wholeWords }: PieceOptions,
): { readonly pieces: Piece[]; readonly missing: string[] } {
  const known = 'words' in tokenizer ? tokenizer.words : new Map<string, readonly number[]>();
  const plain = 'plain' in tokenizer && words === 'named' ? tokenizer.plain : tokenizer;
  const vectors = new Map([...known.values()].map((ids) => [ids[0]!, ids]));
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
    const runs = wholeWords > 1 ? text.split(/\s+/).map((one) => plain.tokenize(one)) : [plain.tokenize(text)];
    for (const run of runs) {
      if (run.length > 0 && run.length < wholeWords) pieces.push({ ids: run, weight, fragment });
      else for (const ids of singles(run, vectors)) pieces.push({ ids, weight, fragment });
    }
  });
  return { pieces, missing };
}

/** Each token for itself, but for those of a word with several vectors. */
function singles(ids: readonly number[], vectors: ReadonlyMap<number, readonly number[]>): (readonly number[])[] {
  const pieces: (readonly number[])[] = [];
  for (let i = 0; i < ids.length; ) {
    const together = vectors.get(ids[i]!) ?? [ids[i]!];
    pieces.push(together);
    i += together.length;
  }
  return pieces;
}
