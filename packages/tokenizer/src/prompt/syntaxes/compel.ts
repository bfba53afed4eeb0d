import { padToSameLength } from '../../embedding/lengths.js';
import { scaleFromEmpty } from '../../embedding/weights.js';
import { type Clause, constantPlan, type NetworkMention, type PromptPlan } from '../prompt-plan.js';
import type { PromptSyntax } from '../prompt-syntax.js';
import { type FragmentReader, fragmentReader, type ParsedText } from './compel/fragments.js';
import { matchLora, matchOperator, matchQuoted, skipSpaces } from './compel/patterns.js';
import { readNumber } from './number.js';

/** compel's syntax: `word++`, `(some words)1.3`, `("a", "b").and()`, `.blend()`, `withLora(name, 0.7)`. */
export const compel: PromptSyntax<'compel'> = {
  name: 'compel',
  parse: (text) => parseCompel(text),
  chunks: { endAfter: 'sentence' },
  weigh: scaleFromEmpty,
  downweight: 'mask',
  align: padToSameLength,
};

/**
 * Parses `word+`, `word--`, `(some words)1.3`, `"quoted"+`, `("a", "b").blend(1, 0.8)`, `("a", "b").and(1, 0.5)`,
 * `withLora(name, 0.5)`; of `cat.swap(dog)` the cat is taken. What fits no rule is text, where compel may throw: for
 * example if there are more weights than prompts.
 *
 * Follows compel 2.5: doc/syntax.md and prompt_parser.py.
 */
function parseCompel(prompt: string): PromptPlan {
  const text = prompt.replace(/,(\S)/g, ', $1');
  const reader = fragmentReader(text);
  const { clauses, networks } = readJoined(text, reader) ?? alone(reader.readAll());
  return constantPlan({ clauses, pooledFrom: prompt, separator: ' ' }, networks);
}

interface Joined {
  readonly clauses: readonly Clause[];
  readonly networks: readonly NetworkMention[];
}

function alone(text: ParsedText): Joined {
  return { clauses: [clauseOf([text], [1])], networks: text.networks };
}

/** A prompt that is one `.and()` or one `.blend()`; undefined if it is neither. */
function readJoined(text: string, reader: FragmentReader): Joined | undefined {
  const before = readLoras(text, 0);
  const list = readList(text, before.end, reader);
  const operator = list && matchOperator(text, list.end);
  if (list === undefined || operator === undefined) return undefined;
  const [whole, name, options = ''] = operator;
  const { weights, normalize } = readWeights(options, name, list.texts.length);
  if (weights === undefined) return undefined;
  const inside = list.texts.flatMap(({ networks }) => networks);
  if (name !== 'blend') {
    const clauses = list.texts.map((item, i) => ({ ...clauseOf([item], [1]), weight: weights[i] }));
    return before.networks.length > 0 ? undefined : { clauses, networks: inside };
  }
  const after = readLoras(text, list.end + whole.length);
  if (after.end < text.length) return undefined;
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = !normalize || sum === 0 ? weights : weights.map((weight) => weight / sum);
  return { clauses: [clauseOf(list.texts, shares)], networks: [...before.networks, ...inside, ...after.networks] };
}

/** The weights in an operator's brackets, 1 each if there are none; undefined if they are not one for each of `count` texts. */
function readWeights(
  options: string,
  operator: string,
  count: number,
): { readonly weights: readonly number[] | undefined; readonly normalize: boolean } {
  const items = options.trim() === '' ? [] : options.split(',').map((item) => item.trim());
  const normalize = !(operator === 'blend' && items.at(-1) === 'no_normalize');
  if (!normalize) items.pop();
  const numbers = items.length === 0 ? Array<number>(count).fill(1) : items.map(readNumber);
  const weights = numbers.filter((number) => number !== undefined);
  return { weights: weights.length === count && numbers.length === count ? weights : undefined, normalize };
}

function clauseOf(texts: readonly ParsedText[], weights: readonly number[]): Clause {
  return { weight: 1, mix: texts.map(({ fragments }, i) => ({ weight: weights[i], sections: [fragments] })) };
}

/** Reads `("a", b, (c d))`. A quote in it may hold any prompt. */
function readList(text: string, start: number, reader: FragmentReader) {
  const texts: ParsedText[] = [];
  if (text[start] !== '(') return undefined;
  for (let end = start; ; ) {
    end = skipSpaces(text, end + 1);
    const target = reader.readTarget(end) ?? readQuotedPrompt(text, end);
    if (target === undefined) return undefined;
    texts.push(target.parsed);
    end = skipSpaces(text, target.end);
    if (text[end] === ')') return { texts, end: end + 1 };
    if (text[end] !== ',') return undefined;
  }
}

function readQuotedPrompt(text: string, start: number) {
  const quote = matchQuoted(text, start);
  return quote && { parsed: fragmentReader(quote[1]).readAll(), end: start + quote[0].length };
}

function readLoras(text: string, start: number): { readonly networks: NetworkMention[]; readonly end: number } {
  const networks: NetworkMention[] = [];
  let end = skipSpaces(text, start);
  for (let lora = matchLora(text, end); lora !== undefined; lora = matchLora(text, end)) {
    const weight = Number(lora[2] ?? 1);
    networks.push({ kind: 'lora', name: lora[1], textWeight: weight, unetWeight: weight });
    end = skipSpaces(text, end + lora[0].length);
  }
  return { networks, end };
}
