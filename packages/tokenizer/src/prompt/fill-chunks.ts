import type { AnyTokenizer, Piece } from './pieces.js';

/**
 * Fills chunks one after the other. When one is full, what follows its last comma moves to the next, if that comma is among
 * the last `lookBack` tokens: A1111's setting "comma_padding_backtrack", 20 by default.
 */
export function fillWithCommas(
  pieces: readonly Piece[],
  capacity: number,
  lookBack: number,
  comma: number | undefined,
): Piece[][] {
  const chunks: Piece[][] = [];
  let chunk: Piece[] = [];
  let length = 0;
  let afterComma: { readonly pieces: number; readonly tokens: number } | undefined;
  const startChunk = (moved: Piece[]) => {
    chunks.push(chunk);
    chunk = moved;
    length = tokenCount(moved);
    afterComma = undefined;
  };
  for (const piece of pieces) {
    const isComma = piece.ids.length === 1 && piece.ids[0] === comma;
    if (isComma) afterComma = { pieces: chunk.length + 1, tokens: length + 1 };
    else if (length === capacity && afterComma !== undefined && length - afterComma.tokens < lookBack) {
      startChunk(chunk.splice(afterComma.pieces));
    }
    if (length + piece.ids.length > capacity) startChunk([]);
    chunk.push(piece);
    length += piece.ids.length;
  }
  if (chunk.length > 0 || chunks.length === 0) chunks.push(chunk);
  return chunks;
}

/** What a chunk may end after, the largest unit first: a full stop, a punctuation mark (`.`, `,`, `;`, `:`), a word. */
const units = ['sentence', 'phrase', 'word'] as const;

export type EndAfter = (typeof units)[number];

/**
 * Fills chunks up to the end of the last unit that fits, or of the next smaller unit if none fits: compel's
 * `SplitLongTextMode.SENTENCES`, `PHRASES` and `WORDS`.
 */
export function fillToEnds(
  pieces: readonly Piece[],
  capacity: number,
  tokenizer: AnyTokenizer,
  endAfter: EndAfter,
): Piece[][] {
  const [fullStop] = tokenizer.tokenize('.');
  const punctuation = ['.', ',', ';', ':'].map((mark) => tokenizer.tokenize(mark)[0]);
  const endsWord = (id: number) => {
    const again = tokenizer.tokenize(tokenizer.decode([id]));
    return again.length === 1 && again[0] === id;
  };
  const unitEnds = [(id: number) => id === fullStop, (id: number) => punctuation.includes(id), endsWord].slice(
    units.indexOf(endAfter),
  );
  const chunks: Piece[][] = [];
  let start = 0;
  for (let after = endThatFits(pieces, start, capacity); after < pieces.length; ) {
    const fitting = pieces.slice(start, after);
    const lastEnds = unitEnds.map((isEnd) => fitting.findLastIndex(({ ids }) => isEnd(ids.at(-1)!)));
    const end = lastEnds.find((index) => index !== -1) ?? fitting.length - 1;
    chunks.push(fitting.slice(0, end + 1));
    start += end + 1;
    after = endThatFits(pieces, start, capacity);
  }
  if (start < pieces.length || chunks.length === 0) chunks.push(pieces.slice(start));
  return chunks;
}

/** The index of the first piece, from `start`, that does not fit; the number of pieces if all do. */
function endThatFits(pieces: readonly Piece[], start: number, capacity: number): number {
  let length = 0;
  let index = start;
  while (index < pieces.length) {
    length += pieces[index].ids.length;
    if (length > capacity) return index;
    index += 1;
  }
  return index;
}

function tokenCount(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { ids }) => sum + ids.length, 0);
}
