import { readNumber } from '../number.js';
import { type Clause, type NetworkMention, type PromptPlan, steadyPlan } from '../plan.js';
import { type FragmentReader, fragmentReader, type Passage } from './fragments.js';
import { readLora, readOperator, readQuoted, skipSpaces } from './words.js';

/**
 * A prompt as compel reads it: `word+`, `word--`, `(some words)1.3`, `"quoted"+`, `("a", "b").blend(1, 0.8)`,
 * `("a", "b").and(1, 0.5)`, `withLora(name, 0.5)`; of `cat.swap(dog)` the cat counts. What fits no rule is text, where
 * compel may throw: weights that are not as many as the prompts, for instance.
 *
 * Follows compel 2.5: doc/syntax.md and prompt_parser.py.
 */
export function parseCompel(prompt: string): PromptPlan {
  const text = prompt.replace(/,(\S)/g, ', $1');
  const reader = fragmentReader(text);
  const joined = readJoined(text, reader);
  if (joined !== undefined)
    return steadyPlan('compel', { clauses: joined.clauses, pooledFrom: prompt }, joined.networks);
  const passage = reader.readAll();
  return steadyPlan('compel', { clauses: [clauseOf([passage], [1])], pooledFrom: prompt }, passage.networks);
}

interface Joined {
  readonly clauses: readonly Clause[];
  readonly networks: readonly NetworkMention[];
}

/** A prompt that is one `.and()` or one `.blend()`. */
function readJoined(text: string, reader: FragmentReader): Joined | undefined {
  const before = readLoras(text, 0);
  const list = readList(text, before.end, reader);
  const operator = list && readOperator(text, list.end);
  if (operator === undefined) return undefined;
  const { passages } = list!;
  const [whole, name, options = ''] = operator;
  const items = options.trim() === '' ? [] : options.split(',').map((item) => item.trim());
  const plain = name === 'blend' && items.at(-1) === 'no_normalize';
  if (plain) items.pop();
  const weights = items.length === 0 ? passages.map(() => 1) : items.map(readNumber);
  if (weights.length !== passages.length || !weights.every((weight) => weight !== undefined)) return undefined;
  const inside = passages.flatMap(({ networks }) => networks);
  if (name !== 'blend') {
    const clauses = passages.map((passage, i) => ({ ...clauseOf([passage], [1]), weight: weights[i]! }));
    return before.networks.length > 0 ? undefined : { clauses, networks: inside };
  }
  const after = readLoras(text, list!.end + whole.length);
  if (after.end < text.length) return undefined;
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = plain || sum === 0 ? weights : weights.map((weight) => weight / sum);
  return { clauses: [clauseOf(passages, shares)], networks: [...before.networks, ...inside, ...after.networks] };
}

function clauseOf(passages: readonly Passage[], weights: readonly number[]): Clause {
  return { weight: 1, mix: passages.map(({ fragments }, i) => ({ weight: weights[i]!, sections: [fragments] })) };
}

/** `("a", b, (c d))`. A quote in it may hold any prompt. */
function readList(text: string, at: number, reader: FragmentReader) {
  const passages: Passage[] = [];
  if (text[at] !== '(') return undefined;
  for (let end = at; ; ) {
    end = skipSpaces(text, end + 1);
    const target = reader.readTarget(end) ?? readQuotedPrompt(text, end);
    if (target === undefined) return undefined;
    passages.push(target.passage);
    end = skipSpaces(text, target.end);
    if (text[end] === ')') return { passages, end: end + 1 };
    if (text[end] !== ',') return undefined;
  }
}

function readQuotedPrompt(text: string, at: number) {
  const quote = readQuoted(text, at);
  return quote && { passage: fragmentReader(quote[1]!).readAll(), end: at + quote[0].length };
}

function readLoras(text: string, at: number): { readonly networks: NetworkMention[]; readonly end: number } {
  const networks: NetworkMention[] = [];
  let end = skipSpaces(text, at);
  for (let lora = readLora(text, end); lora !== undefined; lora = readLora(text, end)) {
    const weight = Number(lora[2] ?? 1);
    networks.push({ kind: 'lora', name: lora[1]!, textWeight: weight, unetWeight: weight });
    end = skipSpaces(text, end + lora[0].length);
  }
  return { networks, end };
}
