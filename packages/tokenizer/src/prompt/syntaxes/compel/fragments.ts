import type { Fragment, NetworkMention } from '../../prompt-plan.js';
import { mergeFragments, roundWeight } from '../fragments.js';
import {
  matchAttend,
  matchLora,
  matchNonSpaces,
  matchQuoted,
  matchSigns,
  matchSwapEnd,
  matchSwapStart,
  matchWeight,
  matchWord,
  skipSpaces,
} from './patterns.js';

/** Text with weights, and the networks that it names. */
export interface ParsedText {
  readonly fragments: readonly Fragment[];
  readonly networks: readonly NetworkMention[];
}

/** A part of the prompt, and the index where it ends. */
export interface ParsedPart {
  readonly parsed: ParsedText;
  readonly end: number;
}

export interface FragmentReader {
  /** Reads the whole text; what fits no rule is text, up to the next space. */
  readAll(): ParsedText;
  /** Reads the whole text by the rules inside brackets; undefined if something fits none of them. */
  readWhole(): ParsedText | undefined;
  /** Reads what an operator may follow: a quote, brackets or a word. */
  readTarget(start: number): ParsedPart | undefined;
}

/** How deeply brackets and swaps may be nested; deeper ones are text. */
const maxDepth = 100;

/** A reader of a prompt's fragments. Each bracket and swap is read once, wherever reading begins. */
export function fragmentReader(text: string, parentDepth = 0): FragmentReader {
  const groups = new Map<number, ParsedPart | undefined>();
  const swaps = new Map<number, number | undefined>();
  let depth = parentDepth;

  /** The fragments read at an index, once and not too deeply nested. */
  function once<T>(known: Map<number, T | undefined>, start: number, read: () => T | undefined): T | undefined {
    if (!known.has(start)) {
      depth += 1;
      known.set(start, depth > maxDepth ? undefined : read());
      depth -= 1;
    }
    return known.get(start);
  }

  function readAll(): ParsedText {
    const parts: ParsedText[] = [];
    let start = skipSpaces(text, 0);
    while (start < text.length) {
      const next = readOperated(start) ?? readGroup(start) ?? unweighted(start, matchNonSpaces(text, start)!);
      parts.push(next.parsed);
      start = skipSpaces(text, next.end);
    }
    return concat(parts);
  }

  function readWhole(): ParsedText | undefined {
    const { parsed, end } = readInside(0, true);
    return end === text.length ? parsed : undefined;
  }

  function readTarget(start: number): ParsedPart | undefined {
    return readGroup(start) ?? readPlainWord(start);
  }

  /** Reads a `withLora()`, a target with a weight, or a `.swap()`, of which the original is taken. */
  function readOperated(start: number): ParsedPart | undefined {
    const lora = matchLora(text, start);
    if (lora !== undefined) return { parsed: mention(lora[1], Number(lora[2] ?? 1)), end: start + lora[0].length };
    const group = readGroup(start);
    const target = group ?? readPlainWord(start);
    if (target === undefined) return undefined;
    const { parsed, end } = target;
    const written =
      matchAttend(text, end) ?? matchSigns(text, end) ?? (group === undefined ? undefined : matchWeight(text, end));
    if (written !== undefined) {
      return { parsed: multiply(parsed, weightOf(written[1] ?? written[0])), end: end + written[0].length };
    }
    const swapEnd = once(swaps, end, () => endOfSwap(end));
    return swapEnd === undefined ? undefined : { parsed, end: swapEnd };
  }

  function endOfSwap(start: number): number | undefined {
    const opening = matchSwapStart(text, start);
    if (opening === undefined) return undefined;
    const { end } = readInside(start + opening[0].length, false);
    const closing = matchSwapEnd(text, end);
    return closing && end + closing[0].length;
  }

  function readPlainWord(start: number): ParsedPart | undefined {
    const word = matchWord(text, start);
    return word && unweighted(start, word);
  }

  function readGroup(start: number): ParsedPart | undefined {
    const isQuote = text[start] === '"';
    if (!isQuote && text[start] !== '(') return undefined;
    return once(groups, start, () => (isQuote ? readQuote(start) : readBrackets(start)));
  }

  function readQuote(start: number): ParsedPart | undefined {
    const quote = matchQuoted(text, start);
    const parsed = quote && fragmentReader(quote[1], depth).readWhole();
    return parsed && { parsed, end: start + quote[0].length };
  }

  function readBrackets(start: number): ParsedPart | undefined {
    const { parsed, end } = readInside(start + 1, true);
    return text[end] === ')' ? { parsed, end: end + 1 } : undefined;
  }

  /** Reads up to what fits no rule. */
  function readInside(start: number, allowPunctuation: boolean): ParsedPart {
    const parts: ParsedText[] = [];
    for (let end = skipSpaces(text, start); ; end = skipSpaces(text, end)) {
      const punctuation = allowPunctuation && /^[,.]$/.test(text[end] ?? '') ? unweighted(end, [text[end]]) : undefined;
      const next = readOperated(end) ?? readGroup(end) ?? readPlainWord(end) ?? punctuation;
      if (next === undefined) return { parsed: concat(parts), end };
      parts.push(next.parsed);
      end = next.end;
    }
  }

  return { readAll, readWhole, readTarget };
}

function unweighted(start: number, [matched = '']: readonly string[]): ParsedPart {
  const text = matched.replace(/\\([()"])/g, '$1');
  return { parsed: { fragments: [{ text, weight: 1 }], networks: [] }, end: start + matched.length };
}

function mention(name: string, weight: number): ParsedText {
  return { fragments: [], networks: [{ kind: 'lora', name, textWeight: weight, unetWeight: weight }] };
}

/** Each `+` is a factor of 1.1, each `-` one of 0.9. */
function weightOf(written: string): number {
  if (/^\++$/.test(written)) return 1.1 ** written.length;
  return /^-+$/.test(written) ? 0.9 ** written.length : Number(written);
}

function multiply({ fragments, networks }: ParsedText, factor: number): ParsedText {
  const multiplied = fragments.map((fragment) => ({ ...fragment, weight: roundWeight(fragment.weight * factor) }));
  return { fragments: multiplied, networks };
}

function concat(parts: readonly ParsedText[]): ParsedText {
  return {
    fragments: mergeFragments(
      parts.flatMap(({ fragments }) => fragments),
      ' ',
    ),
    networks: parts.flatMap(({ networks }) => networks),
  };
}
