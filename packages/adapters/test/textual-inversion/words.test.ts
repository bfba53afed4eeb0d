import type { TensorView } from '@sd/weights';
import { expect, test } from 'vitest';
import { wordsIn } from '../../src/textual-inversion/words.js';

const file = { location: 'x', read: async () => new Uint8Array() };

/** The words found in a file with these tensors, and the components that each has vectors for. */
function found(shapes: Readonly<Record<string, readonly number[]>>) {
  const tensors = new Map(
    Object.entries(shapes).map(([name, shape]): [string, TensorView] => [
      name,
      { name, dtype: 'F32', shape, file, offset: 0, length: 0 },
    ]),
  );
  const words = wordsIn({ tensors })?.words;
  return words?.map(({ word, views }) => [word, ...views.keys()]);
}

test.each<[string, Record<string, number[]>, unknown]>([
  ['A1111’s safetensors', { emb_params: [2, 768] }, [[undefined, 'text_encoder']]],
  ['A1111’s .pt', { 'string_to_param.*': [2, 768] }, [[undefined, 'text_encoder']]],
  ['a .pt with a word of its own', { 'string_to_param.<a>': [2, 768] }, [['<a>', 'text_encoder']]],
  [
    'a .pt with several',
    { 'string_to_param.a': [768], 'string_to_param.b.c': [1, 768] },
    [
      ['a', 'text_encoder'],
      ['b.c', 'text_encoder'],
    ],
  ],
  ['SDXL’s', { clip_l: [2, 768], clip_g: [2, 1280] }, [[undefined, 'text_encoder', 'text_encoder_2']]],
  [
    'Stable Diffusion 3’s',
    { clip_l: [768], clip_g: [1280], t5xxl: [4096] },
    [[undefined, 'text_encoder', 'text_encoder_2']],
  ],
  [
    'SDXL’s of diffusers’ training',
    { text_encoders_0: [2, 768], text_encoders_1: [2, 1280] },
    [[undefined, 'text_encoder', 'text_encoder_2']],
  ],
  ['diffusers’', { '<cat-toy>': [768] }, [['<cat-toy>', 'text_encoder']]],
  [
    'diffusers’ of several words',
    { '<a.b>': [768], b: [3, 768] },
    [
      ['<a.b>', 'text_encoder'],
      ['b', 'text_encoder'],
    ],
  ],
  ['a layer', { 'fc.weight': [8, 8] }, undefined],
  ['a matrix', { text_projection: [768, 768] }, undefined],
  ['words of two widths', { '<a>': [768], '<b>': [1024] }, undefined],
  ['an image', { '<a>': [1, 3, 8, 8] }, undefined],
  ['nothing', {}, undefined],
])('%s', (_, shapes, words) => {
  expect(found(shapes)).toEqual(words);
});
