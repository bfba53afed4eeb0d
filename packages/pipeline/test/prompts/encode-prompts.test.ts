import type { TextEncoder } from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { mockTextEncoder } from '@sd/text-encoder/testing';
import { mockTokenizer } from '@sd/tokenizer/testing';
import { describe, expect, test } from 'vitest';
import { createPipeline, families, type GenerateOptions } from '../../src/index.js';
import { mockStages } from '../support.js';

const run = { width: 32, height: 16, steps: 1, seed: 1 };
const tokenizer = mockTokenizer({ maxLength: 8 });

/** A text encoder that keeps the texts of the windows that it reads. */
function reading(): { textEncoder: TextEncoder; texts: string[] } {
  const mock = mockTextEncoder();
  const texts: string[] = [];
  return {
    texts,
    textEncoder: {
      encode(tokens, options) {
        texts.push(...tokens.map(({ ids, length }) => tokenizer.decode(ids.subarray(1, length - 1))));
        return mock.encode(tokens, options);
      },
    },
  };
}

describe('at a guidance scale of 1', () => {
  test.each<[string, Pick<GenerateOptions, 'prompt' | 'syntax'>, boolean]>([
    ['a prompt alone stands alone', { prompt: 'one' }, false],
    ['so it does by the rules of a syntax', { prompt: '(one)', syntax: 'a1111' }, false],
    ['prompts joined with AND stand against the negative prompt', { prompt: 'one AND two', syntax: 'a1111' }, true],
    ['so does one with a weight', { prompt: 'one :0.5', syntax: 'a1111' }, true],
    ['so do prompts with weights', { prompt: [{ text: 'one' }, { text: 'two', weight: 0.5 }] }, true],
  ])('%s', async (_, prompt, asked) => {
    const { textEncoder, texts } = reading();
    const sd = createPipeline(mockStages({ textEncoders: [{ tokenizer, textEncoder }] }));
    await sd.generate({ ...run, ...prompt, negativePrompt: 'bad', guidanceScale: 1 });
    expect(texts.includes('bad')).toBe(asked);
  });
});

test('a long text for one of SDXL’s encoders and a short one for the other: the empty prompt fills up', async () => {
  const widths: number[][] = [];
  const mock = mockNoisePredictor();
  const noisePredictor: typeof mock = {
    ...mock,
    predict(input, options) {
      widths.push([...input.context.dims]);
      return mock.predict(input, options);
    },
  };
  const textEncoders = [reading(), reading()].map(({ textEncoder }) => ({ tokenizer, textEncoder }));
  const stages = mockStages({ textEncoders, noisePredictor });
  // Without the pooled texts and the sizes, which the mocks do not have.
  const composition = { ...families.find(({ id }) => id === 'sdxl')!.composition(stages), condition: undefined };
  const sd = createPipeline({ ...stages, composition });
  const options = { ...run, syntax: 'comfyui', guidanceScale: 1 } as const;
  await sd.generate({ ...options, prompt: 'abcdefghij', prompt2: 'xy' });
  await sd.generate({ ...options, prompt: 'xy', prompt2: 'abcdefghij' });
  expect(widths).toEqual([
    [1, 16, 16],
    [1, 16, 16],
  ]);
});
