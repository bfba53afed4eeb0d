import { type Fragment, fuse, type NetworkMention, tidy } from '../plan.js';
import {
  readAttend,
  readFree,
  readLora,
  readQuoted,
  readSign,
  readSwap,
  readSwapEnd,
  readWeight,
  readWord,
  skipSpaces,
} from './words.js';

/** Text with weights, and the networks that it names. */
export interface Passage {
  readonly fragments: readonly Fragment[];
  readonly networks: readonly NetworkMention[];
}

/** A passage, and where it ends. */
export interface Read {
  readonly passage: Passage;
  readonly end: number;
}

export interface FragmentReader {
  /** The whole text; what fits no rule is text, up to the next space. */
  readAll(): Passage;
  /** The whole text by the rules of what stands in brackets; undefined where something fits none. */
  readWhole(): Passage | undefined;
  /** What an operator may follow: a quote, brackets or a word. */
  readTarget(at: number): Read | undefined;
}

/** How deep brackets may lie in each other; deeper ones are text. */
const deepest = 100;

/** A reader of a prompt's fragments. Each bracket is read once, wherever the reading begins. */
export function fragmentReader(text: string, depth = 0): FragmentReader {
  const groups = new Map<number, Read | undefined>();
  let level = depth;

  function readAll(): Passage {
    const found: Passage[] = [];
    let at = skipSpaces(text, 0);
    while (at < text.length) {
      const next = readOperated(at) ?? readGroup(at) ?? plain(at, readFree(text, at)!);
      found.push(next.passage);
      at = skipSpaces(text, next.end);
    }
    return together(found);
  }

  function readWhole(): Passage | undefined {
    const { passage, end } = readInside(0, true);
    return end === text.length ? passage : undefined;
  }

  function readTarget(at: number): Read | undefined {
    return readGroup(at) ?? readPlain(at);
  }

  /** A `withLora()`, a target with a weight, or a `.swap()`, of which the original counts. */
  function readOperated(at: number): Read | undefined {
    const lora = readLora(text, at);
    if (lora !== undefined) return { passage: mention(lora[1]!, Number(lora[2] ?? 1)), end: at + lora[0].length };
    const group = readGroup(at);
    const target = group ?? readPlain(at);
    if (target === undefined) return undefined;
    const { passage, end } = target;
    const written =
      readAttend(text, end) ?? readSign(text, end) ?? (group === undefined ? undefined : readWeight(text, end));
    if (written !== undefined) {
      return { passage: weighted(passage, weightOf(written[1] ?? written[0])), end: end + written[0].length };
    }
    const swapped = afterSwap(end);
    return swapped === undefined ? undefined : { passage, end: swapped };
  }

  function afterSwap(at: number): number | undefined {
    const start = readSwap(text, at);
    if (start === undefined) return undefined;
    const { end } = readInside(at + start[0].length, false);
    const close = readSwapEnd(text, end);
    return close && end + close[0].length;
  }

  function readPlain(at: number): Read | undefined {
    const found = readWord(text, at);
    return found && plain(at, found);
  }

  function readGroup(at: number): Read | undefined {
    const quote = text[at] === '"';
    if (!quote && text[at] !== '(') return undefined;
    if (!groups.has(at)) {
      level += 1;
      groups.set(at, level > deepest ? undefined : quote ? readQuote(at) : readBrackets(at));
      level -= 1;
    }
    return groups.get(at);
  }

  function readQuote(at: number): Read | undefined {
    const quote = readQuoted(text, at);
    const passage = quote && fragmentReader(quote[1]!, level).readWhole();
    return passage && { passage, end: at + quote[0].length };
  }

  function readBrackets(at: number): Read | undefined {
    const { passage, end } = readInside(at + 1, true);
    return text[end] === ')' ? { passage, end: end + 1 } : undefined;
  }

  /** Up to where nothing fits. */
  function readInside(at: number, marks: boolean): Read {
    const found: Passage[] = [];
    for (let end = skipSpaces(text, at); ; end = skipSpaces(text, end)) {
      const mark = marks && /^[,.]$/.test(text[end] ?? '') ? plain(end, [text[end]!]) : undefined;
      const next = readOperated(end) ?? readGroup(end) ?? readPlain(end) ?? mark;
      if (next === undefined) return { passage: together(found), end };
      found.push(next.passage);
      end = next.end;
    }
  }

  return { readAll, readWhole, readTarget };
}

function plain(at: number, [found = '']: readonly string[]): Read {
  const text = found.replace(/\\([()"])/g, '$1');
  return { passage: { fragments: [{ text, weight: 1 }], networks: [] }, end: at + found.length };
}

function mention(name: string, weight: number): Passage {
  return { fragments: [], networks: [{ kind: 'lora', name, textWeight: weight, unetWeight: weight }] };
}

/** `+` is 1.1 and `-` is 0.9, each as often as it stands there. */
function weightOf(written: string): number {
  if (/^\++$/.test(written)) return 1.1 ** written.length;
  return /^-+$/.test(written) ? 0.9 ** written.length : Number(written);
}

function weighted({ fragments, networks }: Passage, weight: number): Passage {
  return { fragments: fragments.map((one) => ({ ...one, weight: tidy(one.weight * weight) })), networks };
}

function together(passages: readonly Passage[]): Passage {
  return {
    fragments: fuse(
      passages.flatMap(({ fragments }) => fragments),
      ' ',
    ),
    networks: passages.flatMap(({ networks }) => networks),
  };
}
