import { createNodeBackend, openFolder } from '@sd/backend-node';
import type { TextEncoderOptions } from '@sd/core';
import { type ClipTextEncoder, loadTextEncoder } from '@sd/text-encoder';
import { type ClipTokenizer, loadTokenizer } from '@sd/tokenizer';
import {
  encodeTexts,
  type PromptSyntax,
  type PromptSyntaxName,
  parsePrompt,
  promptSyntaxNamed,
} from '@sd/tokenizer/prompt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import golden from '../data/prompt-golden.json' with { type: 'json' };

const backend = createNodeBackend();
let tokenizer: ClipTokenizer;
let textEncoder: ClipTextEncoder;
beforeAll(async () => {
  const source = await openFolder(new URL('../../../model-tiny/model/', import.meta.url));
  tokenizer = await loadTokenizer(source);
  textEncoder = await loadTextEncoder({ source, backend });
});
afterAll(() => backend.dispose());

type Variation = Pick<TextEncoderOptions, 'clipSkip' | 'output'> & Partial<PromptSyntax>;

async function embed(name: PromptSyntaxName, prompt: string, { clipSkip, output, ...rules }: Variation = {}) {
  const syntax = { ...promptSyntaxNamed(name), ...rules };
  const texts = [parsePrompt(prompt, { syntax }).parts[0].at({ step: 0, steps: 1 })];
  return encodeTexts(texts, { tokenizer, textEncoder, syntax, clipSkip, output });
}

const sentence = 'a blue car on a road, ';
const long = `${'a blue car on a road. '.repeat(3)}${'a red+ bus, '.repeat(5)}a (green field at night)0.6. ${'a white house '.repeat(12)}`;
const longAnd = `("${long}", "a red bus").and(0.5, 1)`;
const longBlend = `("${long}", "a red bus").blend(1, 0.7)`;

test.each<[name: keyof typeof golden.cases, prompt: string, variation?: Variation]>([
  ['a1111 weights', 'a (blue) car on a (road:0.5)'],
  ['a1111 break', 'a blue car BREAK on a (road:1.6)'],
  ['a1111 commas', `${sentence.repeat(3)}(a blue car, on a road and a red bus:1.2)`],
  ['comfyui weights', 'a ((blue)) car on a (road:0.5)'],
  ['comfyui negative', 'a (blue:-0.5) car'],
  ['compel up', 'a blue++ car on a (quiet road)1.4'],
  ['compel down', 'a blue- car on a (quiet road)0.3 at night(sky)0'],
  ['compel down to nothing', 'a (blue)0 car'],
  ['compel both', 'a (blue)1.3 car-- on a road-'],
  ['compel remove', 'a blue- car++ on a (quiet road)0.3', { downweight: 'remove' }],
  ['compel and', '("a blue car", "a road+ at night").and(1, 0.5)'],
  ['compel blend', '("a blue car", "a red bus--").blend(1, 0.7)'],
  ['compel blend, not normalized', '("a blue car", "a red bus").blend(1, -0.3, no_normalize)'],
  ['compel nested', 'a (blue car+ on a (quiet road)0.8)1.2 "at night"--'],
  ['compel swap', 'a (blue car).swap(red bus, s_end=0.5) on a road+'],
  ['compel blend, one below 0', '("a blue car", "a red bus").blend(1, -0.3)'],
  ['compel clip skip', 'a blue++ car- on a road', { clipSkip: 1 }],
  ['compel not normalized', 'a blue++ car- on a road', { output: 'penultimate' }],
  ['compel truncated', long, { chunks: { maxChunks: 1 } }],
  ['compel long', long],
  ['compel long, removed', long, { downweight: 'remove' }],
  ['compel long and', longAnd],
  ['compel long blend', longBlend],
  ['compel long, phrases', long, { chunks: { endAfter: 'phrase' } }],
  ['compel long, words', long, { chunks: { endAfter: 'word' } }],
  ['compel long, brutal', long, { chunks: {} }],
  ['compel long, first end', long, { endTokens: 'first' }],
  ['compel long and, first end', longAnd, { endTokens: 'first' }],
  ['compel long blend, first end', longBlend, { endTokens: 'first' }],
  ['compel long, mean end', long, { endTokens: 'mean' }],
  ['compel long and, mean end', longAnd, { endTokens: 'mean' }],
  ['compel long blend, mean end', longBlend, { endTokens: 'mean' }],
])('%s', async (name, prompt, variation) => {
  const { embeddings } = await embed(name.split(' ')[0] as PromptSyntaxName, prompt, variation);
  const { dims, values } = golden.cases[name];
  const { hidden } = embeddings[0];
  expect(hidden.dims).toEqual(dims);
  const want = new Float32Array(Uint8Array.from(Buffer.from(values, 'base64')).buffer);
  const got = hidden.data.filter((_, i) => i % golden.every === 0);
  expect(stageError(`prompt-${name.split(' ')[0]}`, got, want)).toBeLessThan(1e-5);
});
