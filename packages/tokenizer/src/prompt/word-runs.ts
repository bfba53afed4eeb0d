/** Consecutive tokens that belong to one word, or to none. */
export interface WordRun {
  /** Undefined for punctuation between words. */
  readonly word: string | undefined;
  /** Number of its tokens. */
  readonly count: number;
}

/** The most parts of a text that are tried as one word, as a textual inversion of several words is. */
const longestWord = 8;

/**
 * Divides the tokens of a text, which may be cut off at the end, among its words: each word's tokens are found by tokenizing
 * it alone. Where that gives other tokens than the text, as for punctuation that is one token with its neighbour, the parts
 * that are tokenized together are one word.
 */
export function wordRuns(
  text: string,
  ids: readonly number[],
  tokenize: (text: string) => readonly number[],
): WordRun[] {
  const parts = partsOf(text);
  const runs: WordRun[] = [];
  let token = 0;
  for (let first = 0; first < parts.length && token < ids.length; ) {
    let end = first + 1;
    const countUpTo = () => matching(ids, token, tokenize(text.slice(parts[first].start, parts[end - 1].end)));
    let count = countUpTo();
    while (count === undefined && end < parts.length && end - first < longestWord) {
      end += 1;
      count = countUpTo();
    }
    if (count === undefined) [end, count] = [parts.length, ids.length - token];
    runs.push({ word: wordIn(text, parts.slice(first, end)), count });
    token += count;
    first = end;
  }
  return runs;
}

/** How many ids from `start` are these tokens; undefined if they are others. Fewer than all only where the ids end. */
function matching(ids: readonly number[], start: number, tokens: readonly number[]): number | undefined {
  const count = Math.min(tokens.length, ids.length - start);
  for (let i = 0; i < count; i++) if (tokens[i] !== ids[start + i]) return undefined;
  return count;
}

/** The place in a text of a word, or of punctuation before or after one. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly isWord: boolean;
}

function wordIn(text: string, parts: readonly Part[]): string | undefined {
  const words = parts.filter(({ isWord }) => isWord);
  return words.length === 0 ? undefined : text.slice(words[0].start, words.at(-1)!.end);
}

const punctuation = /^\p{P}$/u;

function partsOf(text: string): Part[] {
  return [...text.matchAll(/\S+/g)].flatMap(({ 0: unit, index }) => {
    const characters = [...unit];
    const first = characters.findIndex((character) => !punctuation.test(character));
    const last = characters.findLastIndex((character) => !punctuation.test(character));
    const lengthTo = (end: number) => characters.slice(0, end).join('').length;
    if (first === -1) return [{ start: index, end: index + unit.length, isWord: false }];
    const [start, end] = [index + lengthTo(first), index + lengthTo(last + 1)];
    const parts = [
      { start: index, end: start, isWord: false },
      { start, end, isWord: true },
      { start: end, end: index + unit.length, isWord: false },
    ];
    return parts.filter((part) => part.end > part.start);
  });
}
