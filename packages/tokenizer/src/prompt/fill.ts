import type { AnyTokenizer, Piece } from './pieces.js';

/**
 * Fills chunks one after the other. Where one is full, what stands behind its last comma moves to the next, if that comma
 * is among the last `lookBack` tokens: A1111's setting of this name is 20.
 */
export function fillWithCommas(
  pieces: readonly Piece[],
  room: number,
  lookBack: number,
  comma: number | undefined,
): Piece[][] {
  const chunks: Piece[][] = [];
  let chunk: Piece[] = [];
  let length = 0;
  let behindComma: { readonly pieces: number; readonly tokens: number } | undefined;
  const next = (moved: Piece[]) => {
    chunks.push(chunk);
    chunk = moved;
    length = sizeOf(moved);
    behindComma = undefined;
  };
  for (const piece of pieces) {
    const isComma = piece.ids.length === 1 && piece.ids[0] === comma;
    if (isComma) behindComma = { pieces: chunk.length + 1, tokens: length + 1 };
    else if (length === room && behindComma !== undefined && length - behindComma.tokens < lookBack) {
      next(chunk.splice(behindComma.pieces));
    }
    if (length + piece.ids.length > room) next([]);
    chunk.push(piece);
    length += piece.ids.length;
  }
  if (chunk.length > 0 || chunks.length === 0) chunks.push(chunk);
  return chunks;
}

/** After what a chunk ends, from the rarest: a full stop, a sign (`.`, `,`, `;`, `:`), a word. */
const ends = ['sentence', 'phrase', 'word'] as const;

export type EndAfter = (typeof ends)[number];

/**
 * Fills chunks up to the last end of a kind that fits; where there is none, to one of the next kind: compel's
 * `SplitLongTextMode.SENTENCES`, `PHRASES` and `WORDS`.
 */
export function fillToEnds(
  pieces: readonly Piece[],
  room: number,
  tokenizer: AnyTokenizer,
  endAfter: EndAfter,
): Piece[][] {
  const [stop] = tokenizer.tokenize('.');
  const signs = ['.', ',', ';', ':'].map((sign) => tokenizer.tokenize(sign)[0]);
  const endsWord = (id: number) => {
    const again = tokenizer.tokenize(tokenizer.decode([id]));
    return again.length === 1 && again[0] === id;
  };
  const kinds = [(id: number) => id === stop, (id: number) => signs.includes(id), endsWord].slice(
    ends.indexOf(endAfter),
  );
  const chunks: Piece[][] = [];
  let rest = [...pieces];
  while (sizeOf(rest) > room) {
    const fits = rest.slice(0, countThatFits(rest, room));
    const last = kinds.map((fitsKind) => fits.findLastIndex(({ ids }) => fitsKind(ids.at(-1)!)));
    const end = last.find((index) => index !== -1) ?? fits.length - 1;
    chunks.push(rest.slice(0, end + 1));
    rest = rest.slice(end + 1);
  }
  if (rest.length > 0 || chunks.length === 0) chunks.push(rest);
  return chunks;
}

function countThatFits(pieces: readonly Piece[], room: number): number {
  let length = 0;
  const over = pieces.findIndex(({ ids }) => {
    length += ids.length;
    return length > room;
  });
  return over === -1 ? pieces.length : over;
}

function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { ids }) => sum + ids.length, 0);
}
