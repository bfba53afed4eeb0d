import { readNumber } from './number.js';
import { type Fragment, fuse, type Section, tidy } from './plan.js';

const factor = 1.1;

/** Pieces from one to before another, and the weight of the text among them. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/**
 * Text with its weights: `(x)` is 1.1 times what is around it, `(x:1.3)` is 1.3 whatever is around it, `\(` and `\)` are
 * text, and a word `embedding:name` is a textual inversion. No other brackets count.
 *
 * Follows ComfyUI's comfy/sd1_clip.py: a `(` that nothing closes is text as far as the text goes, unless that ends in `)`.
 */
export function parseComfyui(text: string): Section {
  const pieces = text.match(/\\[()]|[()]|\\|[^\\()]+/g) ?? [];
  const ends = endsOf(pieces);
  const fragments: Fragment[] = [];
  const waiting: Span[] = [{ from: 0, to: pieces.length, weight: 1 }];
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    const { from, to, weight } = span;
    const start = nextOpen(pieces, span);
    const end = Math.min(ends.get(start) ?? to - 1, to - 1);
    const group = start < end && pieces[end] === ')';
    fragments.push(...readWords(pieces.slice(from, group ? start : to), weight));
    if (!group) continue;
    waiting.push({ from: end + 1, to, weight });
    const own = takeWeight(pieces, start + 1, end);
    waiting.push({ from: start + 1, to: end, weight: own ?? tidy(weight * factor) });
  }
  return fuse(fragments, '');
}

/** For each `(` that is closed, where. */
function endsOf(pieces: readonly string[]): Map<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  pieces.forEach((piece, i) => {
    if (piece === '(') open.push(i);
    const start = piece === ')' ? open.pop() : undefined;
    if (start !== undefined) ends.set(start, i);
  });
  return ends;
}

/** The first `(` of a span that is not text: after each `)` that closes nothing, one is. */
function nextOpen(pieces: readonly string[], { from, to }: Span): number {
  let spare = 0;
  for (let i = from; i < to; i++) {
    if (pieces[i] === ')') spare += 1;
    if (pieces[i] !== '(') continue;
    if (spare === 0) return i;
    spare -= 1;
  }
  return to;
}

/** The weight at the end of a bracket's text, which is taken out of it. */
function takeWeight(pieces: string[], from: number, to: number): number | undefined {
  const last = pieces[to - 1]!;
  const at = last.lastIndexOf(':');
  const weight = at === -1 || (at === 0 && from === to - 1) ? undefined : readNumber(last.slice(at + 1));
  if (weight !== undefined) pieces[to - 1] = last.slice(0, at);
  return weight;
}

function readWords(pieces: readonly string[], weight: number): Fragment[] {
  const text = pieces.map((piece) => (piece.length === 2 && piece.startsWith('\\') ? piece[1] : piece)).join('');
  return text.split(/((?<!\S)embedding:\S+)/).flatMap((part, i) => {
    if (i % 2 === 0) return [{ text: part, weight }];
    const written = part.replace(/,+$/, '');
    const word = written.slice('embedding:'.length);
    if (word === '') return [{ text: part, weight }];
    return [
      { text: written, weight, word },
      { text: part.slice(written.length), weight },
    ];
  });
}
