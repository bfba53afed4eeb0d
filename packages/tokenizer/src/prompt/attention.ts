import { type Fragment, fuse, type Section, tidy } from './plan.js';

const factor = 1.1;
const tokens = /\\[()[\]\\]|[\\()[\]]|:\s*([+-]?[.\d]+)\s*\)|[^\\()[\]:]+|:/g;
const wordBreak = /(?<![\p{L}\p{N}_])BREAK(?![\p{L}\p{N}_])/u;

interface Bracket {
  /** What the text inside is multiplied by. */
  weight: number;
}

type Event = string | { readonly open: Bracket } | { readonly close: Brackets };
type Brackets = 'round' | 'square';

/**
 * Text with its emphasis: `(x)` is 1.1, `[x]` 1 / 1.1, `(x:1.3)` 1.3; brackets inside brackets are multiplied, those that
 * nobody closes reach to the end, `\` escapes brackets and itself, and `BREAK` ends a section.
 *
 * Follows A1111 (wiki: Features, Attention/emphasis), but for `BREAK` in brackets: that is a break here too.
 */
export function readAttention(text: string): Section[] {
  const sections: Fragment[][] = [[]];
  const weights = { round: [1], square: [1] };
  const kindOf = new Map<Bracket, Brackets>();
  for (const event of readEvents(text, kindOf)) {
    if (typeof event !== 'string') {
      if ('close' in event) weights[event.close].pop();
      else {
        const stack = weights[kindOf.get(event.open)!];
        stack.push(stack.at(-1)! * event.open.weight);
      }
      continue;
    }
    const weight = tidy(weights.round.at(-1)! * weights.square.at(-1)!);
    const parts = event.startsWith('\\') ? [event.slice(1)] : event.split(wordBreak);
    parts.forEach((part, i) => {
      if (i > 0) sections.push([]);
      const from = i > 0 ? part.trimStart() : part;
      sections.at(-1)!.push({ text: i < parts.length - 1 ? from.trimEnd() : from, weight });
    });
  }
  return sections.map((fragments) => fuse(fragments, ''));
}

/** Text, and brackets with the weight that their end tells. A backslash that escapes nothing is left out. */
function readEvents(text: string, kindOf: Map<Bracket, Brackets>): Event[] {
  const events: Event[] = [];
  const open = { round: [] as Bracket[], square: [] as Bracket[] };
  const begin = (kind: Brackets) => {
    const bracket = { weight: kind === 'round' ? factor : 1 / factor };
    kindOf.set(bracket, kind);
    open[kind].push(bracket);
    events.push({ open: bracket });
  };
  const end = (kind: Brackets, weight?: number) => {
    const bracket = open[kind].pop()!;
    if (weight !== undefined) bracket.weight = weight;
    events.push({ close: kind });
  };
  for (const [token, written] of text.matchAll(tokens)) {
    if (token === '(') begin('round');
    else if (token === '[') begin('square');
    else if (token === ')' && open.round.length > 0) end('round');
    else if (token === ']' && open.square.length > 0) end('square');
    else if (written === undefined || open.round.length === 0) events.push(token);
    else if (Number.isFinite(Number(written))) end('round', Number(written));
    else {
      events.push(token.slice(0, -1));
      end('round');
    }
  }
  return events;
}
