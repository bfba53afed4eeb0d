import { repeatToSameLength } from '../../embedding/lengths.js';
import { scaleFromEmpty } from '../../embedding/weights.js';
import { constantPlan, type Fragment, type Section, textOf } from '../prompt-plan.js';
import type { PromptSyntax } from '../prompt-syntax.js';
import { mergeFragments, roundWeight } from './fragments.js';
import { readNumber } from './number.js';

/** ComfyUI's syntax: `(word)`, `(word:1.3)`, `embedding:name`. */
export const comfyui: PromptSyntax<'comfyui'> = {
  name: 'comfyui',
  parse: (text) => constantPlan(textOf([parseComfyui(text)])),
  chunks: { wholeWords: 8, words: 'named' },
  weigh: scaleFromEmpty,
  align: repeatToSameLength,
};

const factor = 1.1;

/** Pieces `from` up to but not including `to`, and the weight of the text among them. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

/**
 * Parses weights: `(x)` is 1.1 times the weight around it, `(x:1.3)` is 1.3 whatever is around it, `\(` and `\)` are text,
 * and a word `embedding:name` is a textual inversion. No other brackets have a meaning.
 *
 * Follows ComfyUI's comfy/sd1_clip.py: an unclosed `(` is text up to the end of the text, unless that ends in `)`.
 */
function parseComfyui(text: string): Section {
  const pieces = text.match(/\\[()]|[()]|\\|[^\\()]+/g) ?? [];
  const closings = closingBrackets(pieces);
  const fragments: Fragment[] = [];
  const waiting: Span[] = [{ from: 0, to: pieces.length, weight: 1 }];
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    const { from, to, weight } = span;
    const start = nextOpening(pieces, span);
    const end = Math.min(closings.get(start) ?? to - 1, to - 1);
    const isGroup = start < end && pieces[end] === ')';
    for (const words of readWords(pieces.slice(from, isGroup ? start : to), weight)) fragments.push(words);
    if (!isGroup) continue;
    waiting.push({ from: end + 1, to, weight });
    const written = takeWeight(pieces, start + 1, end);
    waiting.push({ from: start + 1, to: end, weight: written ?? roundWeight(weight * factor) });
  }
  return mergeFragments(fragments, '');
}

/** The index of the closing bracket of each `(` that has one. */
function closingBrackets(pieces: readonly string[]): Map<number, number> {
  const closings = new Map<number, number>();
  const open: number[] = [];
  pieces.forEach((piece, i) => {
    if (piece === '(') open.push(i);
    const start = piece === ')' ? open.pop() : undefined;
    if (start !== undefined) closings.set(start, i);
  });
  return closings;
}

/** The first `(` of a span that is not text: each `)` without an opening makes the next `(` text. */
function nextOpening(pieces: readonly string[], { from, to }: Span): number {
  let unmatched = 0;
  for (let i = from; i < to; i++) {
    if (pieces[i] === ')') unmatched += 1;
    if (pieces[i] !== '(') continue;
    if (unmatched === 0) return i;
    unmatched -= 1;
  }
  return to;
}

/** Takes the weight at the end of a bracket's text out of it. */
function takeWeight(pieces: string[], from: number, to: number): number | undefined {
  const last = pieces[to - 1];
  const colon = last.lastIndexOf(':');
  const weight = colon === -1 || (colon === 0 && from === to - 1) ? undefined : readNumber(last.slice(colon + 1));
  if (weight !== undefined) pieces[to - 1] = last.slice(0, colon);
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
