import { type TextEmbedding, type Tokenizer, tensor, type Warning } from '@sd/core';
import { mockTextEncoder } from '@sd/text-encoder/testing';
import { a1111, compel, type PromptSyntax, plain } from '@sd/tokenizer/prompt';
import { mockTokenizer } from '@sd/tokenizer/testing';
import { describe, expect, test, vi } from 'vitest';
import { sideBySide } from '../../src/families/side-by-side.js';
import {
  encodePrompts,
  type PromptRequest,
  parsePrompts,
  type StackEncoder,
  type TextStack,
} from '../../src/generate/prompts/index.js';
import { createPipeline } from '../../src/index.js';
import { mockStages } from '../support.js';

const request: PromptRequest = {
  prompts: [{ option: 'prompt', text: 'abc', weight: 1 }],
  negative: undefined,
  usesNegative: true,
  syntax: plain,
  clipSkip: 0,
  passes: [{ steps: 4 }],
  signal: undefined,
};

const tokenizer = mockTokenizer({ maxLength: 8 });

/** An encoder that records the texts that it reads. T5's tokenizer has `encode` alone. */
function encoderOf(component: string, isT5 = false) {
  const mock = mockTextEncoder();
  const texts: string[] = [];
  const t5: Tokenizer = { maxLength: tokenizer.maxLength, encode: (text) => tokenizer.encode(text) };
  const encoder: StackEncoder = {
    component,
    conditions: {},
    tokenizer: isT5 ? t5 : tokenizer,
    ignoresWeights: isT5,
    textEncoder: {
      encode(tokens, options) {
        texts.push(...tokens.map(({ ids, length }) => tokenizer.decode(ids.subarray(1, length - 1))));
        return mock.encode(tokens, options);
      },
    },
  };
  return { encoder, texts };
}

function stackOf(encoders: readonly StackEncoder[], combine: TextStack['combine'] = sideBySide): TextStack {
  return { encoders, combine, clipSkipForNegative: true, zeroNegative: false };
}

describe('a stack of three text encoders', () => {
  test('each reads its own text, and combine gets all their outputs', async () => {
    const [first, second] = [encoderOf('text_encoder'), encoderOf('text_encoder_2')];
    const third = encoderOf('text_encoder_3', true);
    const combined: number[] = [];
    const combine: TextStack['combine'] = (parts) => {
      combined.push(parts.length);
      return sideBySide(parts);
    };
    const alternatives = ['de', undefined];
    const prompts = parsePrompts({ ...request, prompts: [{ ...request.prompts[0], alternatives }] });
    const stack = stackOf([first.encoder, second.encoder, third.encoder], combine);
    const { positive, negative } = await encodePrompts(prompts, stack, []);
    expect([first, second, third].map(({ texts }) => texts)).toEqual([
      ['abc', ''],
      ['de', ''],
      ['abc', ''],
    ]);
    expect(new Set(combined)).toEqual(new Set([3]));
    const [{ embedding }] = positive(0, 0);
    expect(embedding.hidden.dims[1]).toBe(
      3 * (await mockTextEncoder().encode([tokenizer.encode('')]))[0].hidden.dims[1],
    );
    expect(negative(0, 3)).not.toBe(embedding);
  });

  test.each<[string, PromptSyntax, string]>([
    ['a (b:1.3), c', a1111, 'a b, c'],
    ['a b++ c', compel, 'a b c'],
    ['("a", "b").and(1, 0.5)', compel, 'a b'],
  ])('an encoder that ignores weights reads %s without them, with one warning', async (text, syntax, read) => {
    const [first, third] = [encoderOf('text_encoder'), encoderOf('text_encoder_3', true)];
    const warnings: Warning[] = [];
    const prompts = parsePrompts({ ...request, syntax, prompts: [{ option: 'prompt', text, weight: 1 }] });
    const onlyFirst = ([part]: Parameters<TextStack['combine']>[0]): TextEmbedding => part.embedding;
    await encodePrompts(prompts, stackOf([first.encoder, third.encoder], onlyFirst), warnings);
    expect(third.texts).toEqual(['', read, '']);
    expect(warnings.map(({ code }) => code)).toEqual(['weights-ignored']);
    expect(warnings[0].message).toMatch(/^text_encoder_3 /);
  });

  test('a CLIP tokenizer without tokenize() cannot read a syntax', async () => {
    const { encoder } = encoderOf('text_encoder', true);
    const prompts = parsePrompts({ ...request, syntax: a1111 });
    const stack = stackOf([{ ...encoder, ignoresWeights: false }]);
    await expect(encodePrompts(prompts, stack, [])).rejects.toMatchObject({ code: 'invalid-option', option: 'syntax' });
  });
});

test('each prompt is parsed once, for its networks too', async () => {
  const parse = vi.fn(a1111.parse);
  const { encoder } = encoderOf('text_encoder');
  const prompts = parsePrompts({
    ...request,
    syntax: { ...a1111, parse },
    prompts: [{ option: 'prompt', text: '[a|b] <lora:ink:0.7>', weight: 1, alternatives: ['c'] }],
    negative: { option: 'negativePrompt', text: 'd', weight: 1 },
  });
  expect(prompts.networks).toEqual([{ kind: 'lora', name: 'ink', textWeight: 0.7, unetWeight: 0.7 }]);
  await encodePrompts(prompts, stackOf([encoder]), []);
  expect(parse.mock.calls.map(([text]) => text)).toEqual(['[a|b] <lora:ink:0.7>', 'c', 'd']);
});

describe('a blend', () => {
  const changing = '[a|b]';
  test.each([
    ['prompt', { prompts: [{ option: 'prompt', text: changing, weight: 1 }], blend: { amount: 0.5 } }],
    ['blend.prompt', { blend: { prompt: changing, amount: 0.5 } }],
    ['blend.negativePrompt', { blend: { negativePrompt: changing, amount: 0.5 } }],
  ])('cannot be combined with a %s that changes over the steps', (_, options) => {
    expect(() => parsePrompts({ ...request, syntax: a1111, ...options })).toThrow(
      /blend: cannot be combined with prompts that/,
    );
  });
});

test('generate takes a syntax of your own', async () => {
  const { encoder, texts } = encoderOf('text_encoder');
  const sd = createPipeline(mockStages({ textEncoders: [{ tokenizer, textEncoder: encoder.textEncoder }] }));
  const syntax: PromptSyntax = {
    ...plain,
    name: 'lower',
    parse: (text) => plain.parse(text.toLowerCase(), { negative: false }),
  };
  await sd.generate({ prompt: 'SEA', syntax, width: 32, height: 16, steps: 1, seed: 1, guidanceScale: 1 });
  expect(texts).toEqual(['sea']);
  const incomplete = { name: 'lower' } as PromptSyntax;
  await expect(sd.generate({ prompt: 'sea', syntax: incomplete })).rejects.toMatchObject({ option: 'syntax' });
});

test('zeros stand in for a negative prompt that is not given, if the family says so', async () => {
  const { encoder, texts } = encoderOf('text_encoder');
  const { negative } = await encodePrompts(parsePrompts(request), { ...stackOf([encoder]), zeroNegative: true }, []);
  const { hidden } = negative(0, 0);
  expect(hidden).toEqual(tensor('float32', hidden.dims));
  expect(texts).toEqual(['abc']);
});
