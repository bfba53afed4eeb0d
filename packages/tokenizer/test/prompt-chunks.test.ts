import { InvalidOptionError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { clipVocabulary } from '../../../fixtures/clip-vocabulary.js';
import { clipTokenizerJson } from '../src/clip-tokenizer-json.js';
import { createTokenizer } from '../src/index.js';
import {
  a1111,
  comfyui,
  compel,
  encodeFragments,
  type Fragment,
  parsePrompt,
  type Section,
  withWords,
} from '../src/prompt.js';
import { readTokenizerConfig } from '../src/tokenizer-config.js';

const files = { ...clipVocabulary(), vocabFile: 'vocab.json', mergesFile: 'merges.txt' };
const clip = createTokenizer({ tokenizerJson: clipTokenizerJson(files, readTokenizerConfig({}, '')) });
const sd2 = createTokenizer({
  tokenizerJson: clipTokenizerJson(files, readTokenizerConfig({}, '')),
  specialTokensMap: { pad_token: '!' },
});
const vocabularySize = 49408;

const unbroken = (text: string, weight = 1): Section[] => [[{ text, weight }]];
const words = (count: number) => Array(count).fill('red').join(' ');
const contents = (
  sections: readonly Section[],
  options = {},
  tokenizer: Parameters<typeof encodeFragments>[0] = clip,
) =>
  encodeFragments(tokenizer, sections, options).chunks.map(({ ids, length }) =>
    clip.decode(ids.subarray(1, length - 1)),
  );
const lengths = (sections: readonly Section[], options = {}, tokenizer: Parameters<typeof encodeFragments>[0] = clip) =>
  encodeFragments(tokenizer, sections, options).chunks.map(({ length }) => length - 2);
const sectionsOf = (text: string): readonly Section[] =>
  parsePrompt(text).parts[0].at({ step: 0, steps: 1 }).clauses[0].mix[0].sections;

describe('windows', () => {
  test('a short text becomes the window that encode() gives', () => {
    for (const tokenizer of [clip, sd2]) {
      const { chunks, truncated } = encodeFragments(tokenizer, unbroken('a red boat'));
      expect(chunks.map(({ ids, length }) => ({ ids, length, truncated: '' }))).toEqual([
        tokenizer.encode('a red boat'),
      ]);
      expect(truncated).toBe('');
    }
  });

  test('an empty text is one window of padding', () => {
    for (const sections of [[], [[]], unbroken('')]) {
      expect(encodeFragments(clip, sections).chunks.map(({ ids }) => ids)).toEqual([clip.encode('').ids]);
    }
  });

  test('a window has 75 tokens, and its own start token, end token and padding', () => {
    expect(lengths(unbroken(words(75)))).toEqual([75]);
    expect(lengths(unbroken(words(76)))).toEqual([75, 1]);
    const { chunks } = encodeFragments(sd2, unbroken(words(160)));
    expect(chunks.map(({ length }) => length)).toEqual([77, 77, 12]);
    for (const { ids, length, weights } of chunks) {
      expect([ids.length, ids[0], ids[length - 1]]).toEqual([77, 49406, 49407]);
      expect([...new Set(ids.subarray(length))]).toEqual(length < 77 ? [0] : []);
      expect(weights).toEqual(new Float32Array(77).fill(1));
    }
  });

  test('weights are those of the fragments, and 1 for the rest', () => {
    const { chunks } = encodeFragments(clip, [
      [
        { text: 'a ', weight: 1 },
        { text: 'red boat', weight: 1.5 },
        { text: '.', weight: 0.5 },
      ],
    ]);
    expect([...chunks[0].weights.subarray(0, 6)]).toEqual([1, 1, 1.5, 1.5, 0.5, 1]);
  });

  test('what does not fit maxChunks is reported', () => {
    const { chunks, truncated } = encodeFragments(clip, unbroken(`${words(75)} sea, sky`), { maxChunks: 1 });
    expect(chunks).toHaveLength(1);
    expect(truncated).toBe('sea, sky');
    expect(() => encodeFragments(clip, unbroken('a'), { maxChunks: 0 })).toThrow(InvalidOptionError);
  });
});

describe('BREAK', () => {
  test('begins a window', () => {
    expect(contents(sectionsOf('sea BREAK (sky:1.2)'))).toEqual(['sea', 'sky']);
    expect(contents(sectionsOf('BREAK sky'))).toEqual(['', 'sky']);
    expect(contents(sectionsOf('sea BREAK BREAK sky'))).toEqual(['sea', '', 'sky']);
    expect(contents(sectionsOf('sea BREAK'))).toEqual(['sea']);
    expect(lengths(sectionsOf(`${words(80)} BREAK sea`))).toEqual([75, 5, 1]);
  });
});

describe('commas', () => {
  const options = a1111.chunks;

  test('what follows a late comma moves to the next window', () => {
    const text = `${words(60)}, ${words(10)} sea sea sea sea sea`;
    expect(lengths(unbroken(text))).toEqual([75, 1]);
    expect(lengths(unbroken(text), options)).toEqual([61, 15]);
    expect(contents(unbroken(text), options)[0]).toMatch(/red,$/);
  });

  test('the look-back is 20 tokens', () => {
    expect(lengths(unbroken(`${words(55)}, ${words(25)}`), options)).toEqual([56, 25]);
    expect(lengths(unbroken(`${words(54)}, ${words(25)}`), options)).toEqual([75, 5]);
    expect(lengths(unbroken(`${words(54)}, ${words(25)}`), { commaLookBack: 21 })).toEqual([55, 25]);
  });

  test('a comma that does not fit begins the next window', () => {
    expect(contents(unbroken(`${words(75)}, sea`), options)).toEqual([words(75), ', sea']);
  });

  test('a text that just fits stays', () => {
    expect(lengths(unbroken(`${words(60)}, ${words(14)}`), options)).toEqual([75]);
  });
});

test('ComfyUI keeps words of fewer than 8 tokens in one window', () => {
  const long = 'antidisestablishmentarianism';
  const size = clip.tokenize(long).length;
  expect(size).toBeLessThan(8);
  expect(lengths(unbroken(`${words(74)} ${long}`))).toEqual([75, size - 1]);
  expect(lengths(unbroken(`${words(74)} ${long}`), comfyui.chunks)).toEqual([74, size]);
  const longer = 'supercalifragilisticexpialidocious'.repeat(2);
  expect(clip.tokenize(longer).length).toBeGreaterThan(7);
  expect(lengths(unbroken(`${words(74)} ${longer}`), comfyui.chunks)[0]).toBe(75);
});

test('compel ends windows after a sentence, or else a phrase, or else a word', () => {
  expect(lengths(unbroken(`${words(30)}. ${words(30)}, ${words(30)}`), compel.chunks)).toEqual([31, 61]);
  expect(lengths(unbroken(`${words(30)} ${words(30)}, ${words(30)}`), compel.chunks)).toEqual([61, 30]);
  expect(lengths(unbroken(`${words(90)}`), compel.chunks)).toEqual([75, 15]);
  const size = clip.tokenize('antidisestablishmentarianism').length;
  expect(lengths(unbroken(`${words(74)} antidisestablishmentarianism`), compel.chunks)).toEqual([74, size]);
});

test('compel’s other modes end windows after a phrase or a word', () => {
  const text = unbroken(`${words(30)}. ${words(30)}, ${words(30)}`);
  expect(lengths(text, { endAfter: 'phrase' })).toEqual([62, 30]);
  expect(lengths(text, { endAfter: 'word' })).toEqual([75, 17]);
  const long = unbroken(`${words(73)} antidisestablishmentarianism`);
  expect(lengths(long, { endAfter: 'phrase' })).toEqual([73, clip.tokenize('antidisestablishmentarianism').length]);
});

describe('words of textual inversions', () => {
  const tokenizer = withWords(clip, { '<blob>': 2, blob: 3, 'ink-wash': 1 }, vocabularySize);
  const [red, boat] = clip.tokenize('red boat') as [number, number];

  test('become ids from the end of the vocabulary', () => {
    expect([...tokenizer.words]).toEqual([
      ['<blob>', [49408, 49409]],
      ['blob', [49410, 49411, 49412]],
      ['ink-wash', [49413]],
    ]);
    expect(tokenizer.tokenize('red blob boat')).toEqual([red, 49410, 49411, 49412, boat]);
    expect(tokenizer.tokenize('red <blob> boat')).toEqual([red, 49408, 49409, boat]);
  });

  test('are found as whole words in any case, as in A1111; with punctuation anywhere, as in diffusers', () => {
    expect(tokenizer.tokenize('BLOB')).toEqual([49410, 49411, 49412]);
    expect(tokenizer.tokenize('blobby')).toEqual(clip.tokenize('blobby'));
    expect(tokenizer.tokenize('ink-wash, ink')).toEqual([49413, ...clip.tokenize(', ink')]);
    expect(tokenizer.tokenize('red<blob>,')).toEqual([red, 49408, 49409, ...clip.tokenize(',')]);
    expect(tokenizer.tokenize('<BLOB>')).toEqual([49408, 49409]);
  });

  test('may have any characters', () => {
    const signs = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~§°–—…“”→★♥猫\u0301'];
    for (const sign of signs) {
      for (const word of [`<cat${sign}toy>`, `${sign}toy`, `cat${sign}`, `${sign}`]) {
        const one = withWords(clip, { [word]: 2 }, vocabularySize);
        expect(one.tokenize(`red ${word} boat`)).toEqual([red, 49408, 49409, boat]);
      }
    }
    const all = withWords(clip, new Map(signs.map((sign) => [`<${sign}>`, 1])), vocabularySize);
    const ids = signs.flatMap((sign) => all.tokenize(`<${sign}>`));
    expect(ids).toEqual(signs.map((_, i) => 49408 + i));
  });

  test('are told apart by case where they differ by nothing else, and found in any form of Unicode', () => {
    const both = withWords(clip, { '<A>': 1, '<a>': 1, '<\u00e9>': 1, '<\u017f>': 1 }, vocabularySize);
    expect(both.tokenize('<a><A>')).toEqual([49409, 49408]);
    expect(both.tokenize('<e\u0301>')).toEqual([49410]);
    // The long s folds to s, though its lower case is itself.
    expect(both.tokenize('<S>')).toEqual([49411]);
  });

  test('keep their order if they are numbers', () => {
    const numbered = withWords(
      clip,
      new Map([
        ['<b>', 1],
        ['2023', 1],
      ]),
      vocabularySize,
    );
    expect(numbered.tokenize('<b> 2023')).toEqual([49408, 49409]);
  });

  test('the longest word wins', () => {
    const both = withWords(clip, { ink: 1, 'ink wash': 1, '<a>': 1, '<a>>': 1 }, vocabularySize);
    expect(both.tokenize('ink wash ink <a>> <a>')).toEqual([49409, 49408, 49411, 49410]);
  });

  test('are decoded, and truncated, as words', () => {
    expect(tokenizer.decode(tokenizer.tokenize('red blob boat <blob>'))).toBe('red blob boat <blob>');
    expect(tokenizer.encode(`${words(75)} blob`).truncated).toBe('blob');
    expect([...tokenizer.encode('blob').ids.subarray(0, 5)]).toEqual([49406, 49410, 49411, 49412, 49407]);
  });

  test('are never divided between windows', () => {
    expect(lengths(unbroken(`${words(72)} blob`), {}, tokenizer)).toEqual([75]);
    expect(lengths(unbroken(`${words(73)} blob`), {}, tokenizer)).toEqual([73, 3]);
    expect(lengths(unbroken(`${words(74)} <blob> sea`), compel.chunks, tokenizer)).toEqual([74, 3]);
  });

  test('are found only by name if fragments name them', () => {
    const named: Fragment[] = [
      { text: 'blob', weight: 1 },
      { text: 'embedding:blob', weight: 1.5, word: 'blob' },
      { text: 'embedding:other', weight: 1, word: 'other' },
    ];
    const { chunks, missing } = encodeFragments(tokenizer, [named], comfyui.chunks);
    expect([...chunks[0].ids.subarray(1, 6)]).toEqual([...clip.tokenize('blob'), 49410, 49411, 49412, 49407]);
    expect(chunks[0].weights[3]).toBe(1.5);
    expect(missing).toEqual(['other']);
    expect(encodeFragments(clip, [named], comfyui.chunks).missing).toEqual(['blob', 'other']);
  });

  test.each([
    [{ blob: 0 }, /"blob" has 0 vectors/],
    [{ blob: 1.5 }, /"blob" has 1.5 vectors/],
    [{ blob: 76 }, /"blob" has 76 vectors; a word must have 1 to 75/],
    [{ ' ': 1 }, /" " has no text/],
  ])('%j is an error', (vectors, message) => {
    expect(() => withWords(clip, vectors, vocabularySize)).toThrow(InvalidOptionError);
    expect(() => withWords(clip, vectors, vocabularySize)).toThrow(message);
  });
});
