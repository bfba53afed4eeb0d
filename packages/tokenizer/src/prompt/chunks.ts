import { InvalidOptionError, type Tokens } from '@sd/core';
import { windowOf } from '../window.js';
import { type EndAfter, fillToEnds, fillWithCommas } from './fill.js';
import { type AnyTokenizer, type Piece, piecesOf } from './pieces.js';
import type { PromptSyntax, Section } from './plan.js';

export interface ChunkOptions {
  /** How far back from a full chunk's end a comma is looked for, whose followers then begin the next chunk: 0 for nowhere. */
  readonly commaLookBack?: number;
  /**
   * Chunks end after a sentence, or a phrase, or a word, where the text goes on: after the last one that ends in them, or
   * else the last of the next kind. Without this they end where they are full.
   */
  readonly endAfter?: EndAfter;
  /** Words of fewer tokens than this are not divided between chunks: 1 by default, which may divide any. */
  readonly wholeWords?: number;
  /** Are textual inversions found in the `text` (the default), or only where they are `named`: `embedding:name`? */
  readonly words?: 'text' | 'named';
  /** How many chunks: as many as it takes by default. */
  readonly maxChunks?: number;
}

/** How each tool divides a long prompt. */
export const chunkOptions: Readonly<Record<PromptSyntax, ChunkOptions>> = {
  a1111: { commaLookBack: 20 },
  comfyui: { wholeWords: 8, words: 'named' },
  compel: { endAfter: 'sentence' },
  plain: {},
};

/** A window of tokens, and the weight of each. */
export interface WeightedTokens extends Tokens {
  /** 1 for start, end and padding: [maxLength]. */
  readonly weights: Float32Array;
  /** Which fragment of the whole text each token is of, counted through its sections; -1 for the others: [maxLength]. */
  readonly fragments: Int32Array;
}

export interface Chunks {
  /** One at least. */
  readonly chunks: readonly WeightedTokens[];
  /** What did not fit `maxChunks`; else empty. */
  readonly truncated: string;
  /** Textual inversions that were named and are not known; they are left out. */
  readonly missing: readonly string[];
}

/**
 * A text of any length as windows of the tokenizer's length, each with a start, an end and padding of its own. Every
 * section begins a new one. A word of several vectors is never divided.
 *
 * Fragments are tokenized one by one, as all three tools do. Throws an InvalidOptionError for options out of range.
 */
export function encodeFragments(
  tokenizer: AnyTokenizer,
  sections: readonly Section[],
  options: ChunkOptions = {},
): Chunks {
  const { commaLookBack = 0, endAfter, wholeWords = 1, words = 'text', maxChunks = Infinity } = options;
  if (!(maxChunks >= 1)) throw new InvalidOptionError('maxChunks', `must be 1 or more, not ${maxChunks}.`);
  const room = tokenizer.maxLength - 2;
  const [comma] = tokenizer.tokenize(',');
  const missing: string[] = [];
  let before = 0;
  const filled = sections.flatMap((section, i) => {
    const found = piecesOf(tokenizer, section, before, { words, wholeWords });
    before += section.length;
    missing.push(...found.missing);
    const last = i > 0 && i === sections.length - 1;
    if (last && found.pieces.length === 0) return [];
    return endAfter === undefined
      ? fillWithCommas(found.pieces, room, commaLookBack, comma)
      : fillToEnds(found.pieces, room, tokenizer, endAfter);
  });
  if (filled.length === 0) filled.push([]);
  const kept = filled.slice(0, maxChunks);
  return {
    chunks: kept.map((pieces) => windowWithWeights(tokenizer, pieces)),
    truncated: tokenizer.decode(filled.slice(kept.length).flatMap((pieces) => pieces.flatMap(({ ids }) => ids))),
    missing,
  };
}

function windowWithWeights(tokenizer: AnyTokenizer, pieces: readonly Piece[]): WeightedTokens {
  const ids = pieces.flatMap((piece) => piece.ids);
  const weights = new Float32Array(tokenizer.maxLength).fill(1);
  const fragments = new Int32Array(tokenizer.maxLength).fill(-1);
  let at = 1;
  for (const piece of pieces) {
    const end = at + piece.ids.length;
    weights.fill(piece.weight, at, end);
    fragments.fill(piece.fragment, at, end);
    at = end;
  }
  return { ids: windowOf(tokenizer, ids), length: at + 1, truncated: '', weights, fragments };
}
