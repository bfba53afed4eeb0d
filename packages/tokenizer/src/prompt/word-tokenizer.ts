import { InvalidOptionError, show } from '@sd/core';
import type { ClipTokenizer } from '../tokenizer.js';
import { windowOf } from '../window.js';

/** A tokenizer that also knows the words of textual inversions. */
export interface WordTokenizer extends ClipTokenizer {
  /** The ids of each word, as many as it has vectors. */
  readonly words: ReadonlyMap<string, readonly number[]>;
  /** The tokenizer without these words. */
  readonly base: ClipTokenizer;
}

/** The number of vectors of each word. A Map keeps the order of words that are whole numbers, an object does not. */
export type WordCounts = ReadonlyMap<string, number> | Readonly<Record<string, number>>;

/**
 * Adds words to a tokenizer. `vectors` gives the number of vectors of each word; it gets as many new ids, counted from
 * `firstId` in the order given. `firstId` is the size of the text encoder's vocabulary: 49408 in SD.
 *
 * A word that begins and ends with a letter or a digit is found by its tokens, as A1111 does: as a whole word, in any case.
 * A word with another character at an end, such as `<cat-toy>`, is found wherever it stands, as diffusers does with added
 * tokens.
 *
 * Throws an InvalidOptionError for a word without text, and for a number of vectors that is not positive or does not fit a
 * window.
 */
export function withWords(tokenizer: ClipTokenizer, vectors: WordCounts, firstId: number): WordTokenizer {
  const words = assignIds(vectors, firstId, tokenizer.maxLength - 2);
  const split = splitter([...words.keys()].filter((word) => !isFoundByTokens.test(word)));
  const sequences = tokenSequences(tokenizer, words);

  const tokenize = (text: string): number[] =>
    split(text).flatMap((part) =>
      typeof part === 'string' ? replaceSequences(tokenizer.tokenize(part), sequences) : words.get(part.word)!,
    );
  const decode = decoder(tokenizer, words);

  return {
    ...tokenizer,
    base: tokenizer,
    words,
    tokenize,
    decode,
    encode(text) {
      const ids = tokenize(text);
      const kept = ids.slice(0, tokenizer.maxLength - 2);
      return { ids: windowOf(tokenizer, kept), length: kept.length + 2, truncated: decode(ids.slice(kept.length)) };
    },
  };
}

function assignIds(vectors: WordCounts, firstId: number, capacity: number): ReadonlyMap<string, readonly number[]> {
  if (!Number.isInteger(firstId) || firstId < 0) {
    throw new InvalidOptionError('firstId', `must be the first unused token id, not ${show(firstId)}.`);
  }
  let nextId = firstId;
  return new Map(
    (vectors instanceof Map ? [...vectors] : Object.entries(vectors)).map(([word, count]) => {
      if (!Number.isInteger(count) || count < 1 || count > capacity) {
        const name = JSON.stringify(word);
        throw new InvalidOptionError('words', `${name} has ${count} vectors; a word must have 1 to ${capacity}.`);
      }
      return [word, Array.from({ length: count }, () => nextId++)];
    }),
  );
}

const isFoundByTokens = /^[\p{L}\p{N}](?:[\s\S]*[\p{L}\p{N}])?$/u;

/** A function that splits a text at these words, in any case; of words that differ in case alone, the exact match counts. */
function splitter(words: readonly string[]): (text: string) => (string | { readonly word: string })[] {
  if (words.length === 0) return (text) => [text];
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(escaped).join('|')})`, 'iu');
  const wordIn = (part: string) => {
    const word = words.includes(part) ? part : longestFirst.find((each) => sameInAnyCase(each).test(part))!;
    return { word };
  };
  // In composed form, as the tokenizer reads a text.
  return (text) =>
    text
      .normalize('NFC')
      .split(pattern)
      .map((part, i) => (i % 2 === 1 ? wordIn(part) : part));
}

/** A word as a pattern for composed text. With the flag `u`, a hyphen must not be escaped. */
const escaped = (word: string) => word.normalize('NFC').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

const sameInAnyCase = (word: string) => new RegExp(`^${escaped(word)}$`, 'iu');

/** A word's ordinary tokens, and the ids that replace them. */
interface Sequence {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The sequences of the words that are found by their tokens, by their first token, longer ones first. */
function tokenSequences(
  tokenizer: ClipTokenizer,
  words: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<number, readonly Sequence[]> {
  const sequences = new Map<number, Sequence[]>();
  for (const [word, to] of words) {
    const from = tokenizer.tokenize(word);
    if (from.length === 0) {
      throw new InvalidOptionError('words', `${JSON.stringify(word)} has no text.`);
    }
    if (!isFoundByTokens.test(word)) continue;
    const others = sequences.get(from[0]) ?? [];
    sequences.set(
      from[0],
      [...others, { from, to }].sort((a, b) => b.from.length - a.from.length),
    );
  }
  return sequences;
}

function replaceSequences(ids: readonly number[], sequences: ReadonlyMap<number, readonly Sequence[]>): number[] {
  const result: number[] = [];
  for (let i = 0; i < ids.length; ) {
    const sequence = sequences.get(ids[i])?.find(({ from }) => from.every((id, j) => ids[i + j] === id));
    result.push(...(sequence?.to ?? [ids[i]]));
    i += sequence?.from.length ?? 1;
  }
  return result;
}

/** Reads ids back, a word for the first of its ids. */
function decoder(tokenizer: ClipTokenizer, words: ReadonlyMap<string, readonly number[]>): ClipTokenizer['decode'] {
  const newIds = new Set([...words.values()].flat());
  const wordAt = new Map([...words].map(([word, ids]) => [ids[0], word]));
  return (ids) => {
    const parts: string[] = [];
    let run: number[] = [];
    for (const id of Array.from(ids)) {
      const word = wordAt.get(id);
      if (!newIds.has(id)) run.push(id);
      else if (word !== undefined) {
        parts.push(tokenizer.decode(run), word);
        run = [];
      }
    }
    return [...parts, tokenizer.decode(run)].filter((part) => part !== '').join(' ');
  };
}
