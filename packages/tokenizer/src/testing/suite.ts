import type { Tokenizer, Tokens } from '@sd/core';
import { type ConformanceCase, conforms } from '@sd/core/testing';

const texts = [
  '',
  ' ',
  'cat',
  'A blue car on a road, sci-fi style',
  'several\nlines\r\n\tand   spaces',
  '红色的汽车',
  'שלום עולם',
  'a \u{1f697} and a \u{1f469}\u200d\u{1f680}',
  'half a pair \ud83d of surrogates',
  '\u0000\u0007\ufeff',
];

export interface TokenizerSuiteOptions {
  /** Whether its windows begin with a token that is not of the text, as CLIP's do: true by default. */
  readonly startToken?: boolean;
}

/** Conformance cases for every `Tokenizer`, whatever its vocabulary. `create` makes a new one, or a promise of it. */
export function tokenizerSuite(
  create: () => Tokenizer | Promise<Tokenizer>,
  { startToken = true }: TokenizerSuiteOptions = {},
): ConformanceCase[] {
  const testCase = (name: string, check: (tokenizer: Tokenizer) => void): ConformanceCase => ({
    name,
    run: async () => check(await create()),
  });

  return [
    testCase('a window has maxLength ids, none of them negative', (tokenizer) => {
      conforms(
        Number.isInteger(tokenizer.maxLength) && tokenizer.maxLength > 2,
        'maxLength must be an integer above 2.',
      );
      for (const text of [...texts, tooLong(tokenizer)]) {
        const { ids } = tokenizer.encode(text);
        conforms(ids instanceof Int32Array, 'ids must be an Int32Array.');
        conforms(
          ids.length === tokenizer.maxLength,
          `ids must be ${tokenizer.maxLength}, not ${ids.length}, for ${quote(text)}.`,
        );
        conforms(
          ids.every((id) => id >= 0),
          `ids must not be negative, for ${quote(text)}.`,
        );
      }
    }),
    testCase('length counts the tokens before the padding, and padding is one token', (tokenizer) => {
      const pad = tokenizer.encode('').ids.at(-1);
      for (const text of texts) {
        const { ids, length } = tokenizer.encode(text);
        conforms(
          Number.isInteger(length) && length > 0 && length <= ids.length,
          `length cannot be ${length} for ${quote(text)}.`,
        );
        conforms(
          ids.subarray(length).every((id) => id === pad),
          `what follows length must be padding, for ${quote(text)}.`,
        );
      }
      conforms(
        tokenizer.encode('cat cat').length > tokenizer.encode('').length,
        'a text must have more tokens than the empty text.',
      );
    }),
    testCase('start and end tokens are the same for every text, truncated or not', (tokenizer) => {
      const first = (tokens: Tokens) => tokens.ids[0];
      const last = (tokens: Tokens) => tokens.ids[tokens.length - 1];
      const empty = tokenizer.encode('');
      for (const text of ['cat', 'dog', tooLong(tokenizer)]) {
        const tokens = tokenizer.encode(text);
        conforms(!startToken || first(tokens) === first(empty), `the start token must come first, for ${quote(text)}.`);
        conforms(last(tokens) === last(empty), `the end token must come last, for ${quote(text)}.`);
      }
    }),
    testCase('truncated is empty if the text fits', (tokenizer) => {
      for (const text of ['', 'cat']) {
        const { truncated } = tokenizer.encode(text);
        conforms(truncated === '', `truncated must be empty for ${quote(text)}, not ${quote(truncated)}.`);
      }
    }),
    testCase('truncated is the end of a text that does not fit, as text', (tokenizer) => {
      const { length, truncated } = tokenizer.encode(`${tooLong(tokenizer)} dog`);
      conforms(
        length === tokenizer.maxLength,
        `a text that does not fit must fill the window, not ${length} tokens of it.`,
      );
      conforms(
        /dog\s*$/i.test(truncated),
        `truncated must hold the end of the text, not ${quote(truncated.slice(-20))}.`,
      );
      conforms(!/[^catdog\s]/i.test(truncated), 'truncated must hold the text and nothing else.');
    }),
    testCase('the same text gives the same tokens, in a new array', (tokenizer) => {
      const { ids } = tokenizer.encode('cat');
      const before = ids.slice();
      ids.fill(0);
      const again = tokenizer.encode('cat').ids;
      conforms(
        before.every((id, i) => id === again[i]),
        'changing the returned ids must not change later results.',
      );
      conforms(
        tokenizer.encode('dog').ids.some((id, i) => id !== before[i]),
        'different texts must have different tokens.',
      );
    }),
  ];
}

function tooLong(tokenizer: Tokenizer): string {
  return Array(tokenizer.maxLength).fill('cat').join(' ');
}

const quote = (text: string) => JSON.stringify(text.slice(0, 40));
