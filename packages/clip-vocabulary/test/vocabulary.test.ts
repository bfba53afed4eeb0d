import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { merges, vocabulary } from '../dist/index.js';

test('has the tokens, ids and merges of CLIP', () => {
  const ids = vocabulary();
  const { length } = Object.keys(ids);
  expect([length, merges.split('\n').length]).toEqual([49408, 48894]);
  // The ids in openai/clip-vit-large-patch14.
  expect([ids['!'], ids['a</w>'], ids['cat</w>'], ids['<|startoftext|>'], ids['<|endoftext|>']]).toEqual([
    0, 320, 2368, 49406, 49407,
  ]);
  // The hash of lines 2 to 48895 of OpenAI's bpe_simple_vocab_16e6.txt.
  expect(createHash('sha256').update(merges).digest('hex')).toBe(
    'f61f2adf497e6f5357c347aeb4646fabe82f341e946de5bdec5d2858e41bef4a',
  );
});
