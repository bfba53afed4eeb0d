import { describe, expect, test } from 'vitest';
import { type Fragment, parsePrompt } from '../src/prompt.js';
import { fragmentsAt } from './prompt-support.js';

const plan = (text: string) => parsePrompt(text, { syntax: 'comfyui' });

describe('weights', () => {
  test.each<[string, (readonly [string, number])[]]>([
    [
      'a (red) boat',
      [
        ['a ', 1],
        ['red', 1.1],
        [' boat', 1],
      ],
    ],
    [
      '((red)) boat',
      [
        ['red', 1.21],
        [' boat', 1],
      ],
    ],
    ['(tall:1.3)', [['tall', 1.3]]],
    ['(tall:-1e-1)', [['tall', -0.1]]],
    [
      '(old (wooden:1.5) pier)',
      [
        ['old ', 1.1],
        ['wooden', 1.5],
        [' pier', 1.1],
      ],
    ],
    [
      '(old (wooden:1.5) pier:2)',
      [
        ['old ', 2],
        ['wooden', 1.5],
        [' pier', 2],
      ],
    ],
    [
      '(old (wooden) pier:2)',
      [
        ['old ', 2],
        ['wooden', 2.2],
        [' pier', 2],
      ],
    ],
    ['a [pale] moon', [['a [pale] moon', 1]]],
    ['[fish:bird:0.5] BREAK <lora:x:1> AND', [['[fish:bird:0.5] BREAK <lora:x:1> AND', 1]]],
    [String.raw`a \(plain\) word`, [['a (plain) word', 1]]],
    [String.raw`a\slash`, [[String.raw`a\slash`, 1]]],
    ['(open to the end', [['(open to the end', 1]]],
    ['((open) to', [['((open) to', 1]]],
    ['closed) by (nobody) here (red)', [['closed) by (nobody) here (red)', 1]]],
    ['(:1.5)', [[':1.5', 1.1]]],
    ['()', []],
    ['(12:30:1.2)', [['12:30', 1.2]]],
  ])('%s', (text, fragments) => {
    expect(fragmentsAt(plan(text))).toEqual(fragments);
  });
});

describe('embedding:name', () => {
  const read = (text: string): Fragment[] =>
    plan(text).parts[0].at({ step: 0, steps: 1 }).clauses[0].mix[0].sections.flat();

  test('names a word, which has the weight around it', () => {
    expect(read('a (embedding:ink-wash:1.2), sea')).toEqual([
      { text: 'a ', weight: 1 },
      { text: 'embedding:ink-wash', weight: 1.2, word: 'ink-wash' },
      { text: ', sea', weight: 1 },
    ]);
  });

  test('a comma after it is text', () => {
    expect(read('embedding:ink, sea')).toEqual([
      { text: 'embedding:ink', weight: 1, word: 'ink' },
      { text: ', sea', weight: 1 },
    ]);
  });

  test('is found only at the start of a word, and with a name', () => {
    expect(read('anembedding:ink embedding:')).toEqual([{ text: 'anembedding:ink embedding:', weight: 1 }]);
  });
});
