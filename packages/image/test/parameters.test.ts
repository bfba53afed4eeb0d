import { describe, expect, test } from 'vitest';
import { formatParameters, parseParameters } from '../src/index.js';

const settings = { Steps: 20, Sampler: 'Euler a', 'CFG scale': 7, Seed: 965400086, Size: '512x512' };
const written = 'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512';
const read = { Steps: '20', Sampler: 'Euler a', 'CFG scale': '7', Seed: '965400086', Size: '512x512' };

test("writes A1111's format", () => {
  expect(formatParameters({ prompt: 'a blue car', negativePrompt: 'blurry, ugly', settings })).toBe(
    `a blue car\nNegative prompt: blurry, ugly\n${written}`,
  );
  expect(formatParameters({ prompt: 'a blue car', settings })).toBe(`a blue car\n${written}`);
});

test('quotes values like A1111, and those that would not read back otherwise', () => {
  const text = formatParameters({
    prompt: 'a',
    settings: {
      Steps: 1,
      'Lora hashes': 'a: 1, b: 2',
      Model: 'm "x"',
      Note: 'two\nlines',
      Empty: '',
      Pad: ' x',
      Quoted: '"q"',
      Tiling: true,
      Eta: undefined,
    },
  });
  expect(text).toBe(
    'a\nSteps: 1, Lora hashes: "a: 1, b: 2", Model: m "x", Note: "two\\nlines", Empty: "", Pad: " x", Quoted: "\\"q\\"", Tiling: True',
  );
  expect(parseParameters(text).settings).toEqual({
    Steps: '1',
    'Lora hashes': 'a: 1, b: 2',
    Model: 'm "x"',
    Note: 'two\nlines',
    Empty: '',
    Pad: ' x',
    Quoted: '"q"',
    Tiling: 'True',
  });
});

describe('prompts read back unchanged', () => {
  const prompts = [
    '',
    'a blue car on a road',
    '一辆蓝色的汽车，行驶在路上',
    'car \u{1f697}, astronaut \u{1f469}\u{1f3fd}\u200d\u{1f680}',
    'several\nlines\n\nand an empty one',
    'Windows\r\nlines',
    '  blanks about  ',
    '\nan empty line first',
    'and last\n',
    '\n',
    'a line\n  indented',
    'Negative prompt: none of it',
    'a car\nNegative prompt: fake\nmore',
    'a car, Negative prompt: inside a line',
    'Steps: 20, Sampler: fake, Seed: 1',
    'a car\nSteps: 20, Sampler: fake, Seed: 1, Size: 1x1',
    'quotes " and \\ and "a: b, c: d"',
    '(weights:1.3), [from:to:0.5], <lora:name:0.8>',
  ];
  const pairs = prompts.flatMap((prompt) => prompts.map((negativePrompt) => ({ prompt, negativePrompt })));

  test.each(pairs)('$prompt | $negativePrompt', ({ prompt, negativePrompt }) => {
    const text = formatParameters({ prompt, negativePrompt, settings });
    expect(parseParameters(text)).toEqual({ prompt, negativePrompt, settings: read });
  });

  test.each(prompts)('with a single setting: %s', (prompt) => {
    const result = parseParameters(formatParameters({ prompt, settings: { Seed: 1 } }));
    expect(result).toEqual({ prompt, negativePrompt: '', settings: { Seed: '1' } });
  });

  test('an ordinary prompt is written only once', () => {
    expect(formatParameters({ prompt: 'a, b', negativePrompt: 'c\nd', settings })).not.toContain('Prompt: "');
  });
});

describe('texts from other tools', () => {
  test('the example in A1111’s source', () => {
    const text = [
      "girl with an artist's beret, determined, ((eyeshadow)), (coquettish), detailed, intricate",
      'Negative prompt: ugly, (((deformed))), [blurry], (extra_limb)',
      'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b',
    ].join('\n');
    expect(parseParameters(text)).toEqual({
      prompt: "girl with an artist's beret, determined, ((eyeshadow)), (coquettish), detailed, intricate",
      negativePrompt: 'ugly, (((deformed))), [blurry], (extra_limb)',
      settings: { ...read, 'Model hash': '45dee52b' },
    });
  });

  test('without settings the whole text is the prompt', () => {
    expect(parseParameters('just: this')).toEqual({ prompt: 'just: this', negativePrompt: '', settings: {} });
    expect(parseParameters('')).toEqual({ prompt: '', negativePrompt: '', settings: {} });
  });

  test('names of Object’s properties are ordinary names', () => {
    const { settings: found } = parseParameters('a\nSteps: 1, __proto__: x, constructor: y');
    expect(Object.entries(found)).toEqual([
      ['Steps', '1'],
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  test.each([
    ['words', 'word '],
    ['blanks', ' '],
    ['open quotes', 'aa:"'],
    ['escapes', 'aa: "\\"'],
    ['colons', 'a b:'],
  ])('reads a megabyte of %s in reasonable time', (_, piece) => {
    const start = performance.now();
    parseParameters(`x${piece.repeat(1e6 / piece.length)}x`);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

test.each(['a', 'a, b', 'a:b', ' Steps', 'Steps ', '', 'Prompt', 'Negative prompt', 'a\nb'])(
  'the setting name %j is refused',
  (name) => {
    expect(() => formatParameters({ prompt: 'a', settings: { [name]: 1 } })).toThrow(
      expect.objectContaining({ code: 'invalid-option', option: 'settings' }),
    );
  },
);

describe('settings are found in time by the length of the text', () => {
  // What A1111 searches with, over all scripts' letters: each letter begins a search of 200 characters.
  const pattern = /([\p{L}\p{N}_][\p{L}\p{N}_ \-/]{1,200}):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/gu;
  const settingsOf = (text: string) =>
    Object.fromEntries([...text.trim().matchAll(pattern)].map(([, name, value]) => [name, value]));
  const pieces = [
    'Steps: 2',
    'a',
    ', ',
    ':',
    '"',
    '\\',
    '\\"',
    ': "',
    '",',
    '""',
    '🦊',
    'é',
    ' ',
    '-',
    '_x',
    '\r',
    '\u2028',
    '\t',
  ];

  test('and are those of the regular expression', () => {
    let state = 7;
    const random = (limit: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let round = 0; round < 2000; round++) {
      const text = Array.from({ length: random(30) }, () => pieces[random(pieces.length)]).join('');
      const line = `Aa: 1, Bb: 2, Cc: 3, ${text}`.trim();
      const expected = Object.entries(settingsOf(line)).filter(([, value]) => !/^".*"$/s.test(value));
      expect(Object.entries(parseParameters(line).settings).filter(([, value]) => !/^".*"$/s.test(value))).toEqual(
        expect.arrayContaining(expected.filter(([name]) => name !== 'Prompt')),
      );
    }
  });

  test.each([
    ['letters', 'a'.repeat(2 ** 20)],
    ['names', 'aa: '.repeat(2 ** 18)],
    ['quotes that do not end', `aa: "${'\\"'.repeat(2 ** 19)}`],
    ['quotes that begin again', 'aa: "\\", '.repeat(2 ** 17)],
    ['spaces', `aa:${' '.repeat(2 ** 20)}b`],
    ['lines', 'a\n'.repeat(2 ** 18)],
  ])('%s', (_, text) => {
    const { prompt, settings } = parseParameters(text);
    expect(prompt.length > 0 || Object.keys(settings).length > 0).toBe(true);
  });
});
