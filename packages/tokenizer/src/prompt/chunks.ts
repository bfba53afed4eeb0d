import { InvalidOptionError, show, type Tokens } from '@sd/core';
import { windowOf } from '../window.js';
import { type EndAfter, fillToEnds, fillWithCommas } from './fill-chunks.js';
import { type AnyTokenizer, type Piece, piecesOf } from './pieces.js';
import type { Section } from './prompt-plan.js';

export interface ChunkOptions {
  /**
   * How many tokens before the end of a full chunk a comma is looked for; what follows the comma begins the next chunk. 0 by
   * default: no comma is looked for.
   */
  readonly commaLookBack?: number;
  /**
   * Ends chunks after the last sentence, phrase or word that fits, or after the next smaller unit if none fits. By default
   * they end where they are full.
   */
  readonly endAfter?: EndAfter;
  /** Words of fewer tokens than this are not divided between chunks: 1 by default, which may divide any word. */
  readonly wholeWords?: number;
  /** Whether textual inversions are found in the `text` (the default), or only where they are `named`: `embedding:name`. */
  readonly words?: 'text' | 'named';
  /** The most chunks: unlimited by default. */
  readonly maxChunks?: number;
}

/** A window of tokens, and the weight of each. */
export interface WeightedTokens extends Tokens {
  /** [maxLength]; 1 for start, end and padding. */
  readonly weights: Float32Array;
  /** The fragment that each token belongs to, counted through all sections of the text; -1 for start, end and padding: [maxLength]. */
  readonly fragments: Int32Array;
}

export interface Chunks {
  /** At least one. */
  readonly chunks: readonly WeightedTokens[];
  /** The text that did not fit `maxChunks`, or the empty string. */
  readonly truncated: string;
  /** Textual inversions that are named but unknown; they are left out. */
  readonly missing: readonly string[];
}

/**
 * Divides a text of any length into windows of the tokenizer's length, each with a start token, an end token and padding.
 * Every section begins a new window. A word of several vectors is never divided.
 *
 * Fragments are tokenized one by one, as A1111, ComfyUI and compel do. Throws an InvalidOptionError for options out of range.
 */
export function encodeFragments(
  tokenizer: AnyTokenizer,
  sections: readonly Section[],
  options: ChunkOptions = {},
): Chunks {
  const { commaLookBack = 0, endAfter, wholeWords = 1, words = 'text', maxChunks = Infinity } = options;
  if (!(maxChunks >= 1)) throw new InvalidOptionError('maxChunks', `must be 1 or more, not ${show(maxChunks)}.`);
  const capacity = tokenizer.maxLength - 2;
  const [comma] = tokenizer.tokenize(',');
  const missing: string[] = [];
  let firstFragment = 0;
  const filled = sections.flatMap((section, i) => {
    const found = piecesOf(tokenizer, section, firstFragment, { words, wholeWords });
    firstFragment += section.length;
    for (const word of found.missing) missing.push(word);
    const isLast = i > 0 && i === sections.length - 1;
    if (isLast && found.pieces.length === 0) return [];
    return endAfter === undefined
      ? fillWithCommas(found.pieces, capacity, commaLookBack, comma)
      : fillToEnds(found.pieces, capacity, tokenizer, endAfter);
  });
  if (filled.length === 0) filled.push([]);
  const kept = filled.slice(0, maxChunks);
  const cut = filled.slice(kept.length).flat();
  return {
    chunks: kept.map((pieces) => weightedWindow(tokenizer, pieces)),
    truncated: tokenizer.decode(cut.flatMap(({ ids }) => ids)),
    missing,
  };
}

function weightedWindow(tokenizer: AnyTokenizer, pieces: readonly Piece[]): WeightedTokens {
  const ids = pieces.flatMap((piece) => piece.ids);
  const weights = new Float32Array(tokenizer.maxLength).fill(1);
  const fragments = new Int32Array(tokenizer.maxLength).fill(-1);
  let start = 1;
  for (const piece of pieces) {
    const end = start + piece.ids.length;
    weights.fill(piece.weight, start, end);
    fragments.fill(piece.fragment, start, end);
    start = end;
  }
  return { ids: windowOf(tokenizer, ids), length: start + 1, truncated: '', weights, fragments };
}
