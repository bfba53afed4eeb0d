import { describe, expect, test } from 'vitest';
import { parsePrompt } from '../src/prompt.js';
import { fragmentsAt, textsAt } from './prompt-support.js';

const read = (text: string) => fragmentsAt(parsePrompt(text));

describe('emphasis', () => {
  test.each<[string, (readonly [string, number])[]]>([
    ['a harbour at dusk', [['a harbour at dusk', 1]]],
    ['', []],
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
    [
      'a [pale] moon',
      [
        ['a ', 1],
        ['pale', 0.909090909091],
        [' moon', 1],
      ],
    ],
    ['[[pale]]', [['pale', 0.826446280992]]],
    [
      '(tall:1.3) mast',
      [
        ['tall', 1.3],
        [' mast', 1],
      ],
    ],
    ['(tall : 1.3 )', [['tall ', 1.3]]],
    ['(tall:.5)', [['tall', 0.5]]],
    ['(fog:0)', [['fog', 0]]],
    ['(fog:-1)', [['fog', -1]]],
    [
      '(old (wooden:1.5) pier)',
      [
        ['old ', 1.1],
        ['wooden', 1.65],
        [' pier', 1.1],
      ],
    ],
    [
      '(old (wooden:1.5) pier:2)',
      [
        ['old ', 2],
        ['wooden', 3],
        [' pier', 2],
      ],
    ],
    [
      '([calm] sea)',
      [
        ['calm', 1],
        [' sea', 1.1],
      ],
    ],
    ['(left)(right)', [['leftright', 1.1]]],
    ['(open to the end', [['open to the end', 1.1]]],
    [
      'a [soft',
      [
        ['a ', 1],
        ['soft', 0.909090909091],
      ],
    ],
    ['closed) by nobody]', [['closed) by nobody]', 1]]],
    ['a view:1.3) of it', [['a view:1.3) of it', 1]]],
    [
      '(a (b [c) d] e)',
      [
        ['a ', 1.1],
        ['b ', 1.21],
        ['c', 1.1],
        [' d', 1],
        [' e', 1.1],
      ],
    ],
    ['(12:30:1.2)', [['12:30', 1.2]]],
    ['(no number:1.2.3)', [['no number:1.2.3', 1.1]]],
    ['[no weight here:x]', [['no weight here:x', 0.909090909091]]],
  ])('%s', (text, fragments) => {
    expect(fragmentsAt(parsePrompt(text, { negative: true }))).toEqual(fragments);
  });

  test.each([
    [String.raw`a \(plain\) word`, 'a (plain) word'],
    [String.raw`\[still\] life`, '[still] life'],
    [String.raw`back\\slash`, String.raw`back\slash`],
    [String.raw`lost\ backslash`, 'lost backslash'],
    [String.raw`\[from:to:0.5\]`, '[from:to:0.5]'],
  ])('%s is text', (text, plain) => {
    expect(read(text)).toEqual([[plain, 1]]);
  });

  test('a weight and escapes together', () => {
    expect(read(String.raw`(smile \(open\):1.2)`)).toEqual([['smile (open)', 1.2]]);
  });
});

describe('BREAK', () => {
  test.each<[string, (readonly [string, number] | 'BREAK')[]]>([
    ['sea BREAK sky', [['sea', 1], 'BREAK', ['sky', 1]]],
    ['sea\nBREAK\nsky', [['sea', 1], 'BREAK', ['sky', 1]]],
    ['BREAK sky', ['BREAK', ['sky', 1]]],
    ['sea BREAK', [['sea', 1], 'BREAK']],
    ['sea BREAK BREAK sky', [['sea', 1], 'BREAK', 'BREAK', ['sky', 1]]],
    ['BREAKFAST and breaks', [['BREAKFAST and breaks', 1]]],
    ['(sea BREAK sky)', [['sea', 1.1], 'BREAK', ['sky', 1.1]]],
  ])('%s', (text, fragments) => {
    expect(read(text)).toEqual(fragments);
  });
});

describe('schedules', () => {
  test('a number of steps', () => {
    expect(textsAt(parsePrompt('a [fish:bird:2] drawn'), 4)).toEqual([
      'a fish drawn',
      'a fish drawn',
      'a bird drawn',
      'a bird drawn',
    ]);
  });

  test('a fraction of the steps', () => {
    expect(textsAt(parsePrompt('[fish:bird:0.5]'), 4)).toEqual(['fish', 'fish', 'bird', 'bird']);
    expect(textsAt(parsePrompt('[fish:bird:.3]'), 4)).toEqual(['fish', 'bird', 'bird', 'bird']);
    expect(textsAt(parsePrompt('[fish:bird: 0.5 ]'), 2)).toEqual(['fish', 'bird']);
  });

  test('text from a step on, or up to a step', () => {
    expect(textsAt(parsePrompt('sea[ at night:1]'), 2)).toEqual(['sea', 'sea at night']);
    expect(textsAt(parsePrompt('sea[ at night::1]'), 2)).toEqual(['sea at night', 'sea']);
  });

  test('0 is from the start, more than the steps is never, a decimal point makes a fraction', () => {
    expect(textsAt(parsePrompt('[fish:bird:0]'), 2)).toEqual(['bird', 'bird']);
    expect(textsAt(parsePrompt('[fish:bird:-3]'), 2)).toEqual(['bird', 'bird']);
    expect(textsAt(parsePrompt('[fish:bird:9]'), 2)).toEqual(['fish', 'fish']);
    expect(textsAt(parsePrompt('[fish:bird:1]'), 2)).toEqual(['fish', 'bird']);
    expect(textsAt(parsePrompt('[fish:bird:1.0]'), 2)).toEqual(['fish', 'fish']);
  });

  test('nested', () => {
    expect(textsAt(parsePrompt('[egg:[fish:bird:2]:1]'), 3)).toEqual(['egg', 'fish', 'bird']);
    expect(textsAt(parsePrompt('[[fish|crab]:bird:2]'), 3)).toEqual(['fish', 'crab', 'bird']);
  });

  test('containing weights, and inside weights', () => {
    expect(fragmentsAt(parsePrompt('[fish:(bird:1.4):1]'), 1)).toEqual([['bird', 1.4]]);
    expect(fragmentsAt(parsePrompt('(a [fish:bird:1]:1.2)'), 1)).toEqual([['a bird', 1.2]]);
    expect(fragmentsAt(parsePrompt('[[pale]:1] sea'), 1)).toEqual([
      ['pale', 0.909090909091],
      [' sea', 1],
    ]);
  });

  test('of alternatives, one at each step', () => {
    expect(textsAt(parsePrompt('[fish|bird]'), 4)).toEqual(['fish', 'bird', 'fish', 'bird']);
    expect(textsAt(parsePrompt('a [fish|bird|crab]'), 4)).toEqual(['a fish', 'a bird', 'a crab', 'a fish']);
    expect(textsAt(parsePrompt('sea[| at night]'), 2)).toEqual(['sea', 'sea at night']);
    expect(textsAt(parsePrompt('[fish|(bird|crab)]'), 2)).toEqual(['fish', 'bird|crab']);
  });

  test('the second pass goes on counting: steps from the first pass, fractions from 1', () => {
    const steps = parsePrompt('[fish:bird:12]');
    expect(textsAt(steps, 10)).toEqual(Array(10).fill('fish'));
    expect(textsAt(steps, 4, 10)).toEqual(['fish', 'fish', 'bird', 'bird']);
    expect(textsAt(parsePrompt('[fish:bird:3]'), 2, 10)).toEqual(['bird', 'bird']);
    const part = parsePrompt('[fish:bird:1.5]');
    expect(textsAt(part, 2)).toEqual(['fish', 'fish']);
    expect(textsAt(part, 4, 10)).toEqual(['fish', 'fish', 'bird', 'bird']);
  });

  test.each([
    ['[fish:bird]', 'fish:bird'],
    ['[a:b:c:1]', 'a:b:c:1'],
    ['[a:b|c]', 'a:b|c'],
    ['[fish:bird:soon]', 'fish:bird:soon'],
    ['sea | sky', 'sea | sky'],
    ['[fish:bird:1', 'fish:bird:1'],
  ])('%s is not a schedule', (text, plain) => {
    expect(textsAt(parsePrompt(text, { negative: true }), 2)).toEqual([plain, plain]);
  });

  test('overlapping brackets are not schedules and do not affect others', () => {
    expect(textsAt(parsePrompt('((x][:y:z [fish:1]'), 2)).toEqual(['x]:y:z ', 'x]:y:z fish']);
    expect(textsAt(parsePrompt('[a (b:c:1] d) [fish:bird:1]'), 2)).toEqual(['a b:c:1 d fish', 'a b:c:1 d bird']);
  });

  test('a number at the end of square brackets is not a weight', () => {
    expect(textsAt(parsePrompt('sea [fog:1.3]'), 2)).toEqual(['sea ', 'sea ']);
  });
});

describe('AND', () => {
  const parts = (text: string, negative = false) => {
    const plan = parsePrompt(text, { negative });
    return plan.parts.map(({ weight }, i) => [
      fragmentsAt(plan, 0, 1, i)
        .flat()
        .filter((x) => typeof x === 'string')
        .join('')
        .trim(),
      weight,
    ]);
  };

  test.each<[string, (string | number)[][]]>([
    [
      'a lake AND a forest',
      [
        ['a lake', 1],
        ['a forest', 1],
      ],
    ],
    [
      'a lake :0.7 AND a forest: 1.2',
      [
        ['a lake', 0.7],
        ['a forest', 1.2],
      ],
    ],
    [
      'a lake AND fog :-1',
      [
        ['a lake', 1],
        ['fog', -1],
      ],
    ],
    [
      'a lake:1. AND b:.5',
      [
        ['a lake', 1],
        ['b', 0.5],
      ],
    ],
    ['a lake :1.3', [['a lake', 1.3]]],
    [
      '(a lake:1.3) AND b',
      [
        ['a lake', 1],
        ['b', 1],
      ],
    ],
    [
      'SAND AND BAND',
      [
        ['SAND', 1],
        ['BAND', 1],
      ],
    ],
    ['a lake and a forest', [['a lake and a forest', 1]]],
    [
      'AND',
      [
        ['', 1],
        ['', 1],
      ],
    ],
  ])('%s', (text, expected) => {
    expect(parts(text)).toEqual(expected);
  });

  test('is text in a negative prompt, as is a weight at its end', () => {
    expect(parts('fog AND rain :2', true)).toEqual([['fog AND rain :2', 1]]);
  });

  test('each part has its own schedules', () => {
    const plan = parsePrompt('[fish:bird:1] AND sea');
    expect(fragmentsAt(plan, 1, 2, 0)).toEqual([['bird ', 1]]);
    expect(fragmentsAt(plan, 1, 2, 1)).toEqual([[' sea', 1]]);
  });
});

describe('networks', () => {
  const both = (kind: string, name: string, textWeight: number, unetWeight = textWeight) => ({
    kind,
    name,
    textWeight,
    unetWeight,
  });

  test.each([
    ['a <lora:ink:0.7> drawing', 'a  drawing', [both('lora', 'ink', 0.7)]],
    ['<lora:ink>sea', 'sea', [both('lora', 'ink', 1)]],
    ['<lora:ink:0.4:0.9>sea', 'sea', [both('lora', 'ink', 0.4, 0.9)]],
    ['<lora:ink:te=0.4:unet=0.9>sea', 'sea', [both('lora', 'ink', 0.4, 0.9)]],
    ['<lora:ink:0.5:unet=0>sea', 'sea', [both('lora', 'ink', 0.5, 0)]],
    ['<lora:ink:-1><hypernet:line art:0.6>sea', 'sea', [both('lora', 'ink', -1), both('hypernet', 'line art', 0.6)]],
    ['<lora:ink:much> sea', '<lora:ink:much> sea', []],
    ['<cat-toy> on a mat', '<cat-toy> on a mat', []],
  ])('%s', (text, rest, networks) => {
    const plan = parsePrompt(text);
    expect(plan.networks).toEqual(networks);
    expect(fragmentsAt(plan)).toEqual([[rest, 1]]);
  });

  test('are taken out before anything else is parsed, and not from a negative prompt', () => {
    const plan = parsePrompt('(sea<lora:a:1>) AND [fish<lora:b:0.5>:bird:1]');
    expect(plan.networks.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(fragmentsAt(plan, 0, 2, 1)).toEqual([[' fish', 1]]);
    const negative = parsePrompt('fog <lora:a:1>', { negative: true });
    expect(negative.networks).toEqual([]);
    expect(fragmentsAt(negative)).toEqual([['fog <lora:a:1>', 1]]);
  });
});
