import type { Fragment, Section } from '../../prompt-plan.js';
import { mergeFragments, roundWeight } from '../fragments.js';

const factor = 1.1;
const tokens = /\\[()[\]\\]|[\\()[\]]|:\s*([+-]?[.\d]+)\s*\)|[^\\()[\]:]+|:/g;
const wordBreak = /(?<![\p{L}\p{N}_])BREAK(?![\p{L}\p{N}_])/u;

type BracketKind = 'round' | 'square';

interface Bracket {
  readonly kind: BracketKind;
  /** What the text inside is multiplied by. */
  weight: number;
}

type Event = string | { readonly open: Bracket } | { readonly close: BracketKind };

/**
 * Parses emphasis: `(x)` is 1.1, `[x]` 1 / 1.1, `(x:1.3)` 1.3. The weights of nested brackets multiply, unclosed brackets
 * reach to the end, `\` escapes brackets and itself, and `BREAK` ends a section.
 *
 * Follows A1111 (wiki: Features, Attention/emphasis), except that `BREAK` inside brackets is a break too.
 */
export function readEmphasis(text: string): Section[] {
  const sections: Fragment[][] = [[]];
  const weights = { round: [1], square: [1] };
  for (const event of readEvents(text)) {
    if (typeof event !== 'string') {
      if ('close' in event) weights[event.close].pop();
      else {
        const stack = weights[event.open.kind];
        stack.push(stack.at(-1)! * event.open.weight);
      }
      continue;
    }
    const weight = roundWeight(weights.round.at(-1)! * weights.square.at(-1)!);
    const parts = event.startsWith('\\') ? [event.slice(1)] : event.split(wordBreak);
    parts.forEach((part, i) => {
      if (i > 0) sections.push([]);
      const start = i > 0 ? part.trimStart() : part;
      sections.at(-1)!.push({ text: i < parts.length - 1 ? start.trimEnd() : start, weight });
    });
  }
  return sections.map((fragments) => mergeFragments(fragments, ''));
}

/** Text and brackets in order. A bracket's weight is known at its end only. A backslash that escapes nothing is dropped. */
function readEvents(text: string): Event[] {
  const events: Event[] = [];
  const unclosed: Record<BracketKind, Bracket[]> = { round: [], square: [] };
  const open = (kind: BracketKind) => {
    const bracket = { kind, weight: kind === 'round' ? factor : 1 / factor };
    unclosed[kind].push(bracket);
    events.push({ open: bracket });
  };
  const close = (kind: BracketKind, weight?: number) => {
    const bracket = unclosed[kind].pop()!;
    if (weight !== undefined) bracket.weight = weight;
    events.push({ close: kind });
  };
  for (const [token, written] of text.matchAll(tokens)) {
    if (token === '(') open('round');
    else if (token === '[') open('square');
    else if (token === ')' && unclosed.round.length > 0) close('round');
    else if (token === ']' && unclosed.square.length > 0) close('square');
    else if (written === undefined || unclosed.round.length === 0) events.push(token);
    else if (Number.isFinite(Number(written))) close('round', Number(written));
    else {
      events.push(token.slice(0, -1));
      close('round');
    }
  }
  return events;
}
