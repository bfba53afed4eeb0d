import {
  type Tensor,
  TensorError,
  type TextEmbedding,
  type TextEncoder,
  type TextEncoderOptions,
  type Tokens,
  tensor,
} from '@sd/core';
import { describe, expect, test } from 'vitest';
import {
  type EndTokens,
  mixAblated,
  repeatToSameLength,
  scaleFromEmpty,
  scaleKeepingMean,
  weightedSum,
  withEndTokens,
} from '../src/embedding.js';
import { a1111, comfyui, compel, encodeTexts, type PromptSyntax, parsePrompt } from '../src/prompt.js';
import { mockTokenizer } from '../src/testing/mock.js';

const hidden = (dims: readonly [number, number], values: readonly number[]) =>
  tensor('float32', dims, Float32Array.from(values));

/** A text encoder that gives each token its id and its position, and records its calls. */
function recordingEncoder() {
  const calls: { tokens: readonly Tokens[]; options: TextEncoderOptions }[] = [];
  const textEncoder: TextEncoder = {
    async encode(tokens, options = {}) {
      calls.push({ tokens, options });
      return tokens.map(({ ids, length }) => ({
        hidden: hidden(
          [ids.length, 2],
          [...ids].flatMap((id, i) => [id, i]),
        ),
        pooled: tensor('float32', [1], Float32Array.of(ids[length - 2])),
      }));
    },
  };
  return { calls, textEncoder };
}

const tokenizer = mockTokenizer({ maxLength: 8 });
const textsOf = (syntax: PromptSyntax, ...prompts: string[]) =>
  prompts.map((prompt) => parsePrompt(prompt, { syntax }).parts[0].at({ step: 0, steps: 1 }));

describe('encodeTexts', () => {
  test('encodes each window once, all in one call, and passes the encoder’s options on', async () => {
    const { calls, textEncoder } = recordingEncoder();
    const texts = textsOf(a1111, 'ab', 'abcdefgh', 'abcdefxy', '');
    const { embeddings, empty } = await encodeTexts(texts, { tokenizer, textEncoder, syntax: a1111, clipSkip: 1 });
    expect(calls).toHaveLength(1);
    expect(calls[0].options).toEqual({ clipSkip: 1 });
    const decoded = calls[0].tokens.map(({ ids, length }) => tokenizer.decode(ids.subarray(1, length - 1)));
    expect(decoded).toEqual(['', 'ab', 'abcdef', 'gh', 'xy']);
    expect(embeddings.map(({ hidden }) => hidden.dims)).toEqual([
      [8, 2],
      [16, 2],
      [16, 2],
      [8, 2],
    ]);
    expect(empty.hidden).toEqual(embeddings[3].hidden);
  });

  test('the pooled vector is the first window’s; in compel it is that of the prompt as written', async () => {
    const { textEncoder } = recordingEncoder();
    const last = (char: string) => tokenizer.tokenize(char)[0];
    const options = { tokenizer, textEncoder };
    const first = await encodeTexts(textsOf(a1111, 'abcdefgh'), { ...options, syntax: a1111 });
    expect(first.embeddings[0].pooled!.data[0]).toBe(last('f'));
    const written = await encodeTexts(textsOf(compel, 'abc+'), { ...options, syntax: compel });
    expect(written.embeddings[0].pooled!.data[0]).toBe(last('+'));
  });

  test('refuses weights below 1 that would take too many windows, before it encodes any', async () => {
    const { calls, textEncoder } = recordingEncoder();
    const texts = textsOf(compel, 'a- b '.repeat(200));
    for (const syntax of [compel, { ...compel, downweight: 'remove' } as const]) {
      await expect(encodeTexts(texts, { tokenizer, textEncoder, syntax })).rejects.toMatchObject({
        code: 'invalid-option',
        option: 'prompt',
        message: expect.stringMatching(/has 200 parts with weights below 1, .+ all \d+ windows again/),
      });
    }
    expect(calls).toEqual([]);
  });

  test('reports truncated text and unknown embeddings', async () => {
    const { textEncoder } = recordingEncoder();
    const texts = textsOf(comfyui, 'abcdefgh', 'ab', 'embedding:ink');
    const syntax = { ...comfyui, chunks: { ...comfyui.chunks, wholeWords: 1, maxChunks: 1 } };
    const result = await encodeTexts(texts, { tokenizer, textEncoder, syntax });
    expect(result.truncated).toEqual(['gh', '', '']);
    expect(result.missing).toEqual(['ink']);
  });

  test('hides compel’s words of a weight below 1 from the others, and keeps the other conditions', async () => {
    const { calls, textEncoder } = recordingEncoder();
    const strength = hidden([1, 1], [1]);
    await encodeTexts(textsOf(compel, 'a b-'), {
      tokenizer,
      textEncoder,
      syntax: compel,
      conditions: { strength },
    });
    const { conditions } = calls[0].options;
    expect(conditions!.strength).toBe(strength);
    const bias = conditions!.attention_bias as Tensor<'float32'>;
    const { tokens } = calls[0];
    expect(bias.dims).toEqual([tokens.length, 1, 8, 8]);
    const last = bias.data.subarray(-8);
    expect([...last].map((value) => value < 0)).toEqual([false, false, true, false, false, false, false, false]);
    expect(bias.data.subarray(0, 64).every((value) => value === 0)).toBe(true);
  });

  test('gives no attention bias if nothing is hidden', async () => {
    const { calls, textEncoder } = recordingEncoder();
    await encodeTexts(textsOf(compel, 'a b+'), { tokenizer, textEncoder, syntax: compel });
    await encodeTexts(textsOf(compel, 'a b-'), { tokenizer, textEncoder, syntax: { ...compel, downweight: 'remove' } });
    expect(calls.map(({ options }) => options.conditions)).toEqual([undefined, undefined]);
  });
});

describe('weights', () => {
  const z = hidden([3, 2], [1, 2, 3, 4, 5, 6]);
  const empty = hidden([3, 2], [1, 1, 1, 1, 1, 1]);

  test('a1111 multiplies and restores the mean', () => {
    const { data } = scaleKeepingMean(z, Float32Array.of(1, 2, 1), empty);
    const factor = 21 / 28;
    expect([...data]).toEqual([1, 2, 6, 8, 5, 6].map((value) => Math.fround(value * factor)));
  });

  test.each([comfyui, compel])('$name moves tokens away from the empty prompt', ({ weigh }) => {
    expect([...weigh(z, Float32Array.of(1, 2, 0), empty).data]).toEqual([1, 2, 5, 7, 1, 1]);
  });

  test('weights of 1 change nothing', () => {
    for (const { weigh } of [a1111, comfyui, compel]) {
      expect(weigh(z, Float32Array.of(1, 1, 1), empty)).toBe(z);
    }
  });

  test('wrong shapes and results that are not finite are errors', () => {
    expect(() => scaleKeepingMean(z, Float32Array.of(1), empty)).toThrow(TensorError);
    expect(() => scaleFromEmpty(z, Float32Array.of(1, 1, 1), hidden([1, 2], [1, 1]))).toThrow(TensorError);
    expect(() => scaleKeepingMean(z, Float32Array.of(1, Infinity, 1), empty)).toThrow(TensorError);
  });

  test('a weight of 0.5 is half-way to the prompt without the word, 0 is that prompt', () => {
    const lacking = hidden([1, 2], [10, 20]);
    const base = hidden([1, 2], [0, 0]);
    expect(
      [...mixAblated(base, [{ hidden: lacking, weight: 0.5 }]).data].map((x) => Math.round(x * 1e4) / 1e4),
    ).toEqual([5, 10]);
    expect(mixAblated(base, [{ hidden: lacking, weight: 0 }]).data[0]).toBeCloseTo(10, 3);
    expect(mixAblated(base, [])).toBe(base);
  });

  test('embeddings of different shapes cannot be mixed', () => {
    expect(() =>
      weightedSum([
        { hidden: z, weight: 1 },
        { hidden: hidden([1, 2], [1, 1]), weight: 1 },
      ]),
    ).toThrow(TensorError);
  });
});

describe('withEndTokens', () => {
  const z = hidden([6, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

  test.each<[EndTokens, number[]]>([
    ['first', [0, 1, 2, 3, 4, 5, 6, 7, 2, 3, 10, 11]],
    ['mean', [0, 1, 5, 6, 4, 5, 6, 7, 5, 6, 10, 11]],
  ])('%s', (mode, values) => {
    expect([...withEndTokens(z, [1, 4], mode).data]).toEqual(values);
    expect([...z.data.subarray(8, 10)]).toEqual([8, 9]);
  });

  test('a single window and the mode own change nothing', () => {
    expect(withEndTokens(z, [1], 'mean')).toBe(z);
    expect(withEndTokens(z, [1, 4], 'own')).toBe(z);
  });
});

describe('repeatToSameLength', () => {
  const text = (tokens: number, value: number): TextEmbedding => ({
    hidden: hidden([tokens, 1], Array(tokens).fill(value)),
  });

  test('repeats texts to the least common multiple', () => {
    const [two, three, six] = repeatToSameLength(
      [text(4, 1), text(6, 2), text(12, 3)].map((embedding) => ({ embedding })),
    );
    expect([two, three, six].map(({ hidden }) => hidden.dims)).toEqual([
      [12, 1],
      [12, 1],
      [12, 1],
    ]);
    expect(new Set(two!.hidden.data)).toEqual(new Set([1]));
  });

  test('texts of the same length are left as they are', () => {
    const texts = [text(2, 1), text(2, 2)];
    const repeated = repeatToSameLength(texts.map((embedding) => ({ embedding })));
    expect(repeated.every((text, i) => text === texts[i])).toBe(true);
  });
});

test('texts whose lengths have too large a common multiple are refused before they are repeated', () => {
  const text = (tokens: number) => ({ embedding: { hidden: tensor('float32', [tokens, 1]) } });
  expect(() => repeatToSameLength([text(77 * 101), text(77 * 103)])).toThrow(
    /^prompt: has texts of 7777, 7931 tokens, .+ they would have 801031, more than 65536/,
  );
  expect(repeatToSameLength([text(77 * 1000), text(77)])[1].hidden.dims).toEqual([77_000, 1]);
});
