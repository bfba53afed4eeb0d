import { InvalidOptionError } from '@sd/core';
import { describe, expect, test, vi } from 'vitest';
import {
  type PromptSyntax,
  type PromptSyntaxName,
  parsePrompt,
  plain,
  promptSyntaxes,
  scheduleTexts,
} from '../src/prompt.js';
import { fragmentsAt, randomTexts } from './prompt-support.js';

const all = promptSyntaxes.map(({ name }) => name);
const characters = ['(', ')', '[', ']', ':', '|', '\\', '"', '<', '>', '+', '-', '.', ',', ' ', '\n'];
const rules = [
  '1.3',
  '0.5',
  '7',
  ' AND ',
  'BREAK',
  'lora:',
  '.and(',
  '.blend(',
  '.swap(',
  'embedding:',
  'sea',
  'é',
  '🚢',
  '\ud83d',
];
const repeated = [
  ...characters,
  ...rules,
  '[a:',
  '[a:b:',
  '(a:1.1',
  '[a|',
  '("a",',
  'a ',
  'a.swap(',
  '(a).swap(b',
  'a.swap( ',
];

describe.each(all)('%s', (syntax) => {
  const plan = (text: string) => parsePrompt(text, { syntax });

  test('any string is a prompt with finite weights', () => {
    for (const text of randomTexts([...characters, ...rules], 3000, 24)) {
      const { parts, networks } = plan(text);
      for (const step of [0, 3, 9]) {
        for (const part of parts) {
          const { clauses } = part.at({ step, steps: 10 });
          const fragments = clauses.flatMap(({ mix }) => mix.flatMap(({ sections }) => sections.flat()));
          const numbers = [
            part.weight,
            ...clauses.map(({ weight }) => weight),
            ...fragments.map(({ weight }) => weight),
          ];
          expect(numbers.every(Number.isFinite), text).toBe(true);
          expect(
            fragments.every((fragment) => fragment.text !== ''),
            text,
          ).toBe(true);
        }
      }
      expect(
        networks.every(({ textWeight }) => Number.isFinite(textWeight)),
        text,
      ).toBe(true);
    }
  });

  test.each(repeated)('%j many times over neither hangs nor overflows the stack', (piece) => {
    const text = piece.repeat(20_000);
    expect(plan(text).parts.length).toBeGreaterThan(0);
    plan(text).parts[0].at({ step: 1, steps: 2 });
  });

  test('very deeply nested brackets', () => {
    const deep = (open: string, close: string) => `${open.repeat(5000)}sea${close.repeat(5000)}`;
    for (const text of [
      deep('(', ')'),
      deep('[', ']'),
      deep('[', '|x]'),
      deep('[', ':1]'),
      deep('[a:b:', '1]'),
      deep('a.swap(', ')'),
      deep('"(', ')"'),
    ]) {
      plan(text).parts[0].at({ step: 1, steps: 2 });
    }
  });

  test('a prompt without special characters is one fragment of weight 1', () => {
    for (const text of randomTexts(['sea ', 'red ', 'and ', 'a b ', 'épée ', '7 ', '🚢 '], 200)) {
      if (text === '') continue;
      expect(fragmentsAt(plan(text)).map(([text, weight]) => [String(text).trim(), weight])).toEqual([
        [text.trim(), 1],
      ]);
    }
  });
});

test.each<[PromptSyntaxName, RegExp]>([
  ['a1111', /[\\()[\]]/g],
  ['comfyui', /[()]/g],
  ['plain', /(?!)/g],
])('%s: escaped text survives', (syntax, special) => {
  for (const text of randomTexts(['(', ')', '[', ']', 'sea', ' ', 'a', '.', ','], 500)) {
    const escaped = text.replace(special, '\\$&');
    const read = fragmentsAt(parsePrompt(escaped, { syntax }));
    expect(read, escaped).toEqual(text === '' ? [] : [[text, 1]]);
  }
});

test.each<[PromptSyntaxName, (text: string, weight: number) => string]>([
  ['a1111', (text, weight) => `(${text}:${weight})`],
  ['compel', (text, weight) => `(${text})${weight}`],
])('%s: weights multiply', (syntax, weigh) => {
  for (const [a, b, c] of [
    [1.5, 0.5, 2],
    [0.1, 3, 0.7],
    [1, 1.25, 0.8],
  ] as const) {
    const [[, weight]] = fragmentsAt(parsePrompt(weigh(weigh(weigh('sea', a), b), c), { syntax })) as [
      [string, number],
    ];
    expect(weight).toBeCloseTo(a * b * c, 10);
  }
});

/** How many elements all copies of parts of arrays have while `work` runs. */
function copiedBy(work: () => void): number {
  let copied = 0;
  const { slice } = Array.prototype;
  const spy = vi.spyOn(Array.prototype, 'slice').mockImplementation(function (this: unknown[], ...range) {
    const part = slice.apply(this, range);
    copied += part.length;
    return part;
  });
  try {
    work();
  } finally {
    spy.mockRestore();
  }
  return copied;
}

test.each<[string, (count: number) => string]>([
  ['schedules in brackets that are none', (n) => '[a:b:'.repeat(n) + '1]'.repeat(n)],
  ['schedules in each other', (n) => '[a:'.repeat(n) + ':1]'.repeat(n)],
  ['weights in each other', (n) => '(a'.repeat(n) + ':1.1)'.repeat(n)],
  ['swaps in each other', (n) => 'a.swap('.repeat(n) + ')'.repeat(n)],
  ['alternatives in each other', (n) => '[a|'.repeat(n) + ']'.repeat(n)],
])('twice the text takes at most about twice the work: %s', (_, textOf) => {
  for (const syntax of all) {
    const work = (count: number) =>
      copiedBy(() => parsePrompt(textOf(count), { syntax }).parts[0].at({ step: 1, steps: 4 }));
    expect(work(4000)).toBeLessThan(2.2 * work(2000) + 1000);
  }
});

test('plain has no rules', () => {
  const text = String.raw`a (sea:1.3) \( [a|b] AND <lora:x:1> BREAK "b"+`;
  expect(fragmentsAt(parsePrompt(text, { syntax: 'plain' }))).toEqual([[text, 1]]);
});

test('a1111 is the default', () => {
  const text = '(sea) [fog|sun] AND (sky:1.3)';
  expect(fragmentsAt(parsePrompt(text), 1)).toEqual(fragmentsAt(parsePrompt(text, { syntax: 'a1111' }), 1));
  expect(parsePrompt(text).parts).toHaveLength(2);
});

test('a syntax of your own is an object', () => {
  const shouting: PromptSyntax = {
    ...plain,
    name: 'shouting',
    parse: (text) => plain.parse(text.toUpperCase(), { negative: false }),
  };
  expect(fragmentsAt(parsePrompt('sea', { syntax: shouting }))).toEqual([['SEA', 1]]);
});

test('what is not a prompt', () => {
  expect(() => parsePrompt(7 as unknown as string)).toThrow(InvalidOptionError);
  expect(() => parsePrompt('sea', { syntax: 'markdown' as PromptSyntaxName })).toThrow(
    /"markdown"; it must be one of plain, a1111/,
  );
});

describe('the texts of a run', () => {
  test('each text is listed once, with the steps that use it', () => {
    const { texts, at } = scheduleTexts(parsePrompt('[fish|bird] :0.5 AND sea'), { steps: 4 });
    const words = texts.map(({ clauses }) => clauses[0].mix[0].sections[0][0].text.trim());
    expect(words).toEqual(['fish', 'sea', 'bird']);
    expect([0, 1, 2, 3].map(at)).toEqual([
      [
        { text: 0, weight: 0.5 },
        { text: 1, weight: 1 },
      ],
      [
        { text: 2, weight: 0.5 },
        { text: 1, weight: 1 },
      ],
      [
        { text: 0, weight: 0.5 },
        { text: 1, weight: 1 },
      ],
      [
        { text: 2, weight: 0.5 },
        { text: 1, weight: 1 },
      ],
    ]);
  });

  test('a prompt that does not change needs one text', () => {
    expect(scheduleTexts(parsePrompt('a (calm) sea'), { steps: 50 }).texts).toHaveLength(1);
  });

  test('a second pass has its own texts', () => {
    const plan = parsePrompt('[fish:bird:12]');
    expect(scheduleTexts(plan, { steps: 10 }).texts).toHaveLength(1);
    expect(scheduleTexts(plan, { steps: 10, firstPassSteps: 10 }).texts).toHaveLength(2);
  });
});
