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
  /** Do its windows begin with a token that is none of the text, as CLIP's do? They do if left out. */
  readonly startToken?: boolean;
}

/** Cases that every `Tokenizer` keeps, whatever its vocabulary. `create` makes a new one, or waits for it. */
export function tokenizerSuite(
  create: () => Tokenizer | Promise<Tokenizer>,
  { startToken = true }: TokenizerSuiteOptions = {},
): ConformanceCase[] {
  const given = (name: string, check: (tokenizer: Tokenizer) => void): ConformanceCase => ({
    name,
    run: async () => check(await create()),
  });

  return [
    given('a window has maxLength ids, all of them ids', (tokenizer) => {
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
    given('length counts the tokens before the padding, and padding is one token', (tokenizer) => {
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
        'a text must have more tokens than none has.',
      );
    }),
    given('start and end tokens are the same for every text, cut or not', (tokenizer) => {
      const first = (tokens: Tokens) => tokens.ids[0];
      const last = (tokens: Tokens) => tokens.ids[tokens.length - 1];
      const empty = tokenizer.encode('');
      for (const text of ['cat', 'dog', tooLong(tokenizer)]) {
        const tokens = tokenizer.encode(text);
        conforms(!startToken || first(tokens) === first(empty), `the start token must come first, for ${quote(text)}.`);
        conforms(last(tokens) === last(empty), `the end token must come last, for ${quote(text)}.`);
      }
    }),
    given('truncated is empty where all fits', (tokenizer) => {
      for (const text of ['', 'cat']) {
        const { truncated } = tokenizer.encode(text);
        conforms(truncated === '', `truncated must be empty for ${quote(text)}, not ${quote(truncated)}.`);
      }
    }),
    given('truncated is the readable end of a text that does not fit', (tokenizer) => {
      const { length, truncated } = tokenizer.encode(`${tooLong(tokenizer)} dog`);
      conforms(length === tokenizer.maxLength, `a text that does not fit must fill the window, not ${length} of it.`);
      conforms(
        /dog\s*$/i.test(truncated),
        `truncated must hold the end of the text, not ${quote(truncated.slice(-20))}.`,
      );
      conforms(!/[^catdog\s]/i.test(truncated), 'truncated must hold the text and nothing else.');
    }),
    given('the same text gives the same tokens, in an array of its own', (tokenizer) => {
      const { ids } = tokenizer.encode('cat');
      const before = ids.slice();
      ids.fill(0);
      const again = tokenizer.encode('cat').ids;
      conforms(
        before.every((id, i) => id === again[i]),
        'a caller who changes ids must not change the next ones.',
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
