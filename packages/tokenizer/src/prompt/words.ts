import { InvalidOptionError } from '@sd/core';
import type { ClipTokenizer } from '../tokenizer.js';
import { windowOf } from '../window.js';

/** A tokenizer that knows words of its own: those of textual inversions. */
export interface WordTokenizer extends ClipTokenizer {
  /** The ids that each word became, as many as it has vectors. */
  readonly words: ReadonlyMap<string, readonly number[]>;
  /** The tokenizer without them. */
  readonly plain: ClipTokenizer;
}

/**
 * A tokenizer in which words become ids of their own, as many as their vectors, from `firstId` upwards in the order given:
 * `firstId` is the size of the text encoder's vocabulary, 49408 in SD.
 *
 * A word that begins and ends with a letter or a digit is found where it makes the same tokens, as A1111 does: as a whole
 * word, in capitals or not. One with a sign at an end, such as `<cat-toy>`, is found wherever it stands, as diffusers
 * does with tokens that were added.
 *
 * Throws an InvalidOptionError for a word without text, and for a number of vectors that is none or does not fit a window.
 */
export function withWords(
  tokenizer: ClipTokenizer,
  vectors: Readonly<Record<string, number>>,
  firstId: number,
): WordTokenizer {
  const { maxLength } = tokenizer;
  if (!Number.isInteger(firstId) || firstId < 0) {
    throw new InvalidOptionError('firstId', `must be the number of the first free id, not ${firstId}.`);
  }
  const words = new Map<string, readonly number[]>();
  let next = firstId;
  for (const [word, count] of Object.entries(vectors)) {
    if (!Number.isInteger(count) || count < 1 || count > maxLength - 2) {
      const room = `a window has room for ${maxLength - 2}`;
      throw new InvalidOptionError('words', `${JSON.stringify(word)} has ${count} vectors, and ${room}.`);
    }
    words.set(
      word,
      Array.from({ length: count }, (_, i) => next + i),
    );
    next += count;
  }
  const split = splitter([...words.keys()].filter((word) => !atTokens.test(word)));
  const sequences = sequencesOf(tokenizer, words);
  const lowered = new Map([...words].map(([word, ids]) => [word.toLowerCase(), ids]));
  const nameOf = new Map([...words].map(([word, ids]) => [ids[0]!, word]));

  const tokenize = (text: string): number[] =>
    split(text).flatMap((part, i) =>
      i % 2 === 1 ? lowered.get(part.toLowerCase())! : replaced(tokenizer.tokenize(part), sequences),
    );
  const decode = (ids: ArrayLike<number>): string => {
    const parts: string[] = [];
    let run: number[] = [];
    for (const id of Array.from(ids)) {
      if (id < firstId || id >= next) run.push(id);
      else if (nameOf.has(id)) {
        parts.push(tokenizer.decode(run), nameOf.get(id)!);
        run = [];
      }
    }
    return [...parts, tokenizer.decode(run)].filter((part) => part !== '').join(' ');
  };

  return {
    ...tokenizer,
    plain: tokenizer,
    words,
    tokenize,
    decode,
    encode(text) {
      const all = tokenize(text);
      const kept = all.slice(0, maxLength - 2);
      return { ids: windowOf(tokenizer, kept), length: kept.length + 2, truncated: decode(all.slice(kept.length)) };
    },
  };
}

const atTokens = /^[\p{L}\p{N}](?:[\s\S]*[\p{L}\p{N}])?$/u;

/** Cuts a text at these words: every second part is one. */
function splitter(words: readonly string[]): (text: string) => string[] {
  if (words.length === 0) return (text) => [text];
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const pattern = longestFirst.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|');
  const any = new RegExp(`(${pattern})`, 'giu');
  return (text) => text.split(any);
}

interface Sequence {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The tokens that each word is otherwise, by the first, the longest sequence before others. */
function sequencesOf(
  tokenizer: ClipTokenizer,
  words: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<number, readonly Sequence[]> {
  const sequences = new Map<number, Sequence[]>();
  for (const [word, to] of words) {
    const from = tokenizer.tokenize(word);
    if (from.length === 0) throw new InvalidOptionError('words', `${JSON.stringify(word)} is no word.`);
    if (!atTokens.test(word)) continue;
    const others = sequences.get(from[0]!) ?? [];
    sequences.set(
      from[0]!,
      [...others, { from, to }].sort((a, b) => b.from.length - a.from.length),
    );
  }
  return sequences;
}

function replaced(ids: readonly number[], sequences: ReadonlyMap<number, readonly Sequence[]>): number[] {
  const result: number[] = [];
  for (let i = 0; i < ids.length; ) {
    const found = sequences.get(ids[i]!)?.find(({ from }) => from.every((id, j) => ids[i + j] === id));
    result.push(...(found?.to ?? [ids[i]!]));
    i += found?.from.length ?? 1;
  }
  return result;
}
