import { describe, expect, test } from 'vitest';
import { parsePrompt } from '../src/prompt.js';
import { fragmentsAt } from './prompt-support.js';

const plan = (text: string) => parsePrompt(text, { syntax: 'compel' });

describe('weights', () => {
  test.each<[string, (readonly [string, number])[]]>([
    ['a harbour at dusk', [['a harbour at dusk', 1]]],
    [
      'a red+ boat',
      [
        ['a', 1],
        ['red', 1.1],
        ['boat', 1],
      ],
    ],
    [
      'a red-- boat',
      [
        ['a', 1],
        ['red', 0.81],
        ['boat', 1],
      ],
    ],
    [
      'a (red boat)++',
      [
        ['a', 1],
        ['red boat', 1.21],
      ],
    ],
    [
      'a (red boat)1.3 sails',
      [
        ['a', 1],
        ['red boat', 1.3],
        ['sails', 1],
      ],
    ],
    ['(red boat).5', [['red boat', 0.5]]],
    ['(red boat)2', [['red boat', 2]]],
    [
      '"red boat"- sails',
      [
        ['red boat', 0.9],
        ['sails', 1],
      ],
    ],
    [
      '(red boat+)++',
      [
        ['red', 1.21],
        ['boat', 1.331],
      ],
    ],
    [
      'a (big (boat)1.3)1.1',
      [
        ['a', 1],
        ['big', 1.1],
        ['boat', 1.43],
      ],
    ],
    [
      '(red).attend(1.4) (calm sea).attend(--)',
      [
        ['red', 1.4],
        ['calm sea', 0.81],
      ],
    ],
    ['(red boat) 1.3', [['red boat 1.3', 1]]],
    ['red + boat', [['red + boat', 1]]],
    ['a blue-eyed cat', [['a blue-eyed cat', 1]]],
    [
      'a blue-eyed+ cat',
      [
        ['a', 1],
        ['blue-eyed', 1.1],
        ['cat', 1],
      ],
    ],
    ['(tall, thin)+', [['tall , thin', 1.1]]],
    ['red,boat', [['red, boat', 1]]],
    ['an (open bracket', [['an (open bracket', 1]]],
    ['a closed) bracket', [['a closed) bracket', 1]]],
    [
      String.raw`a \(plain\)+ word`,
      [
        ['a', 1],
        ['(plain)', 1.1],
        ['word', 1],
      ],
    ],
    [String.raw`(a \"said\" word)+`, [['a "said" word', 1.1]]],
    ['', []],
    ['""', []],
  ])('%s', (text, fragments) => {
    expect(fragmentsAt(plan(text))).toEqual(fragments);
  });
});

describe('prompts of several texts', () => {
  const clauses = (text: string) =>
    plan(text)
      .parts[0].at({ step: 0, steps: 1 })
      .clauses.map(({ weight, mix }) => ({
        weight,
        mix: mix.map((passage) => [
          passage.weight,
          passage.sections
            .flat()
            .map((f) => `${f.text}@${f.weight}`)
            .join(' '),
        ]),
      }));

  test('.and() gives clauses with weights', () => {
    expect(clauses('("a calm sea", "oil on canvas").and()')).toEqual([
      { weight: 1, mix: [[1, 'a calm sea@1']] },
      { weight: 1, mix: [[1, 'oil on canvas@1']] },
    ]);
    expect(clauses('("a calm+ sea", (oil+), canvas).and(1, 0.5, 2)')).toEqual([
      { weight: 1, mix: [[1, 'a@1 calm@1.1 sea@1']] },
      { weight: 0.5, mix: [[1, 'oil@1.1']] },
      { weight: 2, mix: [[1, 'canvas@1']] },
    ]);
  });

  test('.blend() mixes, with weights that sum to 1', () => {
    expect(clauses('("a fish", "a bird").blend(1, 3)')).toEqual([
      {
        weight: 1,
        mix: [
          [0.25, 'a fish@1'],
          [0.75, 'a bird@1'],
        ],
      },
    ]);
    expect(clauses('("a fish", "a bird").blend()')).toEqual([
      {
        weight: 1,
        mix: [
          [0.5, 'a fish@1'],
          [0.5, 'a bird@1'],
        ],
      },
    ]);
    expect(clauses('("a fish", "a bird").blend(1, -0.5, no_normalize)')).toEqual([
      {
        weight: 1,
        mix: [
          [1, 'a fish@1'],
          [-0.5, 'a bird@1'],
        ],
      },
    ]);
  });

  test.each(['("a", "b").and(1)', '("a", "b").blend(1, much)', '("a", "b").blend(1, 1) and more', '("a", "b").or()'])(
    '%s is text',
    (text) => {
      expect(clauses(text)).toHaveLength(1);
      expect(clauses(text)[0].mix).toHaveLength(1);
    },
  );
});

test('.swap() keeps the original', () => {
  expect(fragmentsAt(plan('a (big cat).swap(small dog, s_end=0.5) asleep'))).toEqual([['a big cat asleep', 1]]);
  expect(fragmentsAt(plan('a cat.swap(dog)'))).toEqual([['a cat', 1]]);
});

test('withLora() and useLora() are taken out', () => {
  const { networks, ...rest } = plan('withLora(ink, 0.6) a sea useLora(line-art)');
  expect(networks).toEqual([
    { kind: 'lora', name: 'ink', textWeight: 0.6, unetWeight: 0.6 },
    { kind: 'lora', name: 'line-art', textWeight: 1, unetWeight: 1 },
  ]);
  expect(fragmentsAt({ ...rest, networks })).toEqual([['a sea', 1]]);
});
