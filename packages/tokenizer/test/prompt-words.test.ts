import { describe, expect, test } from 'vitest';
import { clipVocabulary } from '../../../fixtures/clip-vocabulary.js';
import { clipTokenizerJson } from '../src/clip-tokenizer-json.js';
import { createTokenizer } from '../src/index.js';
import { type PromptSyntaxName, parsePrompt, placeWords, promptSyntaxNamed, withWords } from '../src/prompt.js';
import { readTokenizerConfig } from '../src/tokenizer-config.js';

const files = { ...clipVocabulary(), vocabFile: 'vocab.json', mergesFile: 'merges.txt' };
const clip = createTokenizer({ tokenizerJson: clipTokenizerJson(files, readTokenizerConfig({}, '')) });

/** The words of a prompt, each with the positions of its tokens: `car@3`. */
function wordsOf(
  prompt: string,
  syntax: PromptSyntaxName = 'plain',
  tokenizer: Parameters<typeof placeWords>[1] = clip,
) {
  const text = parsePrompt(prompt, { syntax }).parts[0].at({ step: 0, steps: 1 });
  return placeWords(text, tokenizer, promptSyntaxNamed(syntax)).map(({ word, positions }) => `${word}@${positions}`);
}

describe('each word with its tokens', () => {
  test('and nothing for punctuation, spaces and the end of the window', () => {
    expect(wordsOf('A blue car,  on (the) road!')).toEqual(['A@1', 'blue@2', 'car@3', 'on@5', 'the@7', 'road@9']);
    expect(wordsOf(' , . ')).toEqual([]);
    expect(wordsOf('')).toEqual([]);
  });

  test('of several tokens', () => {
    expect(clip.tokenize('photorealism')).toHaveLength(2);
    expect(wordsOf('photorealism of 4k cars')).toEqual(['photorealism@1,2', 'of@3', '4k@4,5', 'cars@6']);
    expect(wordsOf('a blue-green boat’s sail')).toEqual(['a@1', 'blue-green@2,3,4', 'boat’s@5,6,7,8', 'sail@9']);
  });

  test('with punctuation where that is one token with its neighbour', () => {
    expect(clip.tokenize(`'sup`)).not.toEqual([...clip.tokenize(`'`), ...clip.tokenize('sup')]);
    expect(wordsOf(`'sup cat`)).toEqual(['sup@1,2', 'cat@3']);
  });

  test('an emoji is a word', () => {
    const [emoji, cat] = wordsOf('🚗 cat');
    expect([emoji.startsWith('🚗@1'), cat.startsWith('cat@')]).toEqual([true, true]);
  });

  test('up to where a window ends', () => {
    const prompt = `${'red '.repeat(74)}photorealism cat`;
    expect(wordsOf(prompt).slice(73)).toEqual(['red@74', 'photorealism@75']);
    expect(wordsOf(prompt, 'a1111').slice(73)).toEqual(['red@74', 'photorealism@75,78', 'cat@79']);
  });
});

describe('in every syntax', () => {
  test('a1111', () => {
    expect(wordsOf('a (blue:1.4) car BREAK (small [cats]:0.8)', 'a1111')).toEqual([
      'a@1',
      'blue@2',
      'car@3',
      'small@78',
      'cats@79',
    ]);
  });

  test('comfyui', () => {
    expect(wordsOf('a (blue car:1.4), on a road', 'comfyui')).toEqual([
      'a@1',
      'blue@2',
      'car@3',
      'on@5',
      'a@6',
      'road@7',
    ]);
  });

  test('compel: clauses follow each other, mixed texts share positions', () => {
    expect(wordsOf('a blue++ car', 'compel')).toEqual(['a@1', 'blue@2', 'car@3']);
    expect(wordsOf('("a cat", "snow").and()', 'compel')).toEqual(['a@1', 'cat@2', 'snow@78']);
    expect(wordsOf('("a cat", "snow").blend(1, 0.5)', 'compel')).toEqual(['a@1', 'cat@2', 'snow@1']);
  });
});

describe('textual inversions', () => {
  const tokenizer = withWords(clip, { '<cat-toy>': 3, 'my style': 2 }, 49408);

  test('are whole words, also those of several', () => {
    expect(wordsOf('a <cat-toy>, in My style today', 'a1111', tokenizer)).toEqual([
      'a@1',
      '<cat-toy>@2,3,4',
      'in@6',
      'My style@7,8',
      'today@9',
    ]);
  });

  test('by their names in comfyui', () => {
    expect(wordsOf('a embedding:<cat-toy> here', 'comfyui', tokenizer)).toEqual(['a@1', '<cat-toy>@2,3,4', 'here@5']);
  });
});
