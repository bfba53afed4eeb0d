import { type RandomSource, tensor, torchCpu } from '@sd/core';
import { schedulerFromConfig } from '@sd/scheduler';
import { describe, expect, test, vi } from 'vitest';
import { createPipeline, type GenerateOptions } from '../../src/index.js';
import { mockStages } from '../support.js';

const stages = mockStages();
const encode = vi.spyOn(stages.textEncoders[0].textEncoder, 'encode');
const sd = createPipeline(stages);
const noise = (dims: number[], value = 0.5) =>
  tensor('float32', dims, new Float32Array(dims.reduce((a, b) => a * b)).fill(value));

describe('invalid options are named before anything runs', () => {
  test.each<[option: string, value: unknown, message: string]>([
    ['prompt', undefined, 'must be a string, a list of strings, or a list of { text, weight }, not undefined.'],
    ['prompt', [], 'must be a string, a list of strings, or a list of { text, weight }, not a list.'],
    ['prompt[0].text', { prompt: [{}] }, 'must be a string, not undefined.'],
    [
      'prompt[1].weight',
      { prompt: [{ text: 'a car' }, { text: 'a bus', weight: Number.NaN }] },
      'must be a finite number, not NaN.',
    ],
    ['prompt', 'a '.repeat(50_001), 'has 100002 characters, more than 100000: no model reads that much.'],
    ['negativePrompt', 'a'.repeat(100_001), 'has 100001 characters, more than 100000'],
    ['prompt[1].text', { prompt: [{ text: 'a' }, { text: 'a'.repeat(100_001) }] }, 'has 100001 characters'],
    ['blend.prompt', { blend: { prompt: 'a'.repeat(100_001), amount: 0.5 } }, 'has 100001 characters'],
    ['guidance', 'cfg', 'must be a function, not "cfg".'],
    ['negativePrompt', 1, 'must be a string, not 1.'],
    ['width', 60, 'must be a multiple of 8, not 60: 56 or 64 would do.'],
    ['width', 0, 'must be a whole number from 8 up, not 0.'],
    ['height', 64.5, 'must be a whole number from 8 up, not 64.5.'],
    ['height', '64', 'must be a whole number from 8 up, not "64".'],
    ['steps', 0, 'must be a whole number from 1 up, not 0.'],
    ['steps', 1.5, 'must be a whole number from 1 up, not 1.5.'],
    ['steps', 1001, '1001 is more than'],
    ['count', 0, 'must be a whole number from 1 up, not 0.'],
    ['seed', 0.5, 'must be a whole number, or a bigint beyond 2^53, not 0.5.'],
    ['seed', 2 ** 53, 'must be a whole number, or a bigint beyond 2^53, not 9007199254740992.'],
    ['seed', 2n ** 64n, '18446744073709551616 does not fit 64 bits'],
    ['guidanceScale', Number.NaN, 'must be a finite number, not NaN.'],
    ['guidanceScale', Number.POSITIVE_INFINITY, 'must be a finite number, not Infinity.'],
    ['guidanceRescale', 1.1, 'must be from 0 to 1, not 1.1.'],
    ['guidanceRescale', Number.NaN, 'must be from 0 to 1, not NaN.'],
    ['clipSkip', -1, 'must be a whole number from 0 up, not -1.'],
    ['rng', 'mersenne', 'is "mersenne", but must be one of torch-cpu, nv-philox, numpy, or a function.'],
    [
      'scheduler',
      'euler',
      'is the name "euler", but this pipeline has no schedulers by name: pass a scheduler object.',
    ],
    ['signal', {}, 'must be an AbortSignal, not an object.'],
    ['onStep', 5, 'must be a function, not 5.'],
    ['scheduler', {}, 'must be a name or an object with plan(steps), not an object.'],
    [
      'negative_prompt',
      'grey',
      'is not an option of generate(). Did you mean negativePrompt? Its options are prompt, ',
    ],
  ])('%s: %s', async (option, value, message) => {
    encode.mockClear();
    const given = /[.[]/.test(option) ? value : { [option]: value };
    const options = { prompt: 'a car', ...(given as object) } as GenerateOptions;
    const error = { code: 'invalid-option', option, message: expect.stringContaining(`${option}: ${message}`) };
    await expect(sd.generate(options)).rejects.toMatchObject(error);
    await expect(sd.stream(options).next()).rejects.toMatchObject(error);
    expect(encode).not.toHaveBeenCalled();
  });

  test('options that are not an object', async () => {
    await expect(sd.generate('a car' as never)).rejects.toMatchObject({ code: 'invalid-option', option: 'options' });
    await expect(sd.generate(undefined as never)).rejects.toMatchObject({ code: 'invalid-option', option: 'options' });
  });

  test('numpy takes seeds of 32 bits, consecutive ones included', async () => {
    const options = { prompt: '', rng: 'numpy', seed: 2 ** 32 - 1, steps: 1 } as const;
    expect((await sd.generate(options)).seeds).toEqual([2 ** 32 - 1]);
    encode.mockClear();
    await expect(sd.generate({ ...options, count: 2 })).rejects.toMatchObject({ option: 'seed' });
    expect(encode).not.toHaveBeenCalled();
  });

  test.each([
    ['of another shape', noise([1, 4, 8, 16]), 'bad-tensor', '[1 or 3, 4, 8, 8] for this size, not float32 [1,4,8,16]'],
    ['without a batch', noise([4, 8, 8]), 'bad-tensor', 'not float32 [4,8,8]'],
    ['for another count', noise([2, 4, 8, 8]), 'bad-tensor', 'not float32 [2,4,8,8]'],
    ['of another type', tensor('float16', [1, 4, 8, 8]), 'bad-tensor', 'not float16 [1,4,8,8]'],
    ['cut short', { ...noise([1, 4, 8, 8]), data: new Float32Array(5) }, 'bad-tensor', 'with 5 values'],
    ['that are null', null, 'bad-tensor', 'not undefined [] with undefined values'],
    ['with NaN', noise([1, 4, 8, 8], Number.NaN), 'not-finite', 'latents is NaN at index 0 of 256.'],
    ['with infinity', noise([1, 4, 8, 8], -1 / 0), 'not-finite', 'latents is -Infinity at index 0 of 256.'],
  ])('latents %s', async (_, latents, code, message) => {
    const options = { prompt: '', count: 3, latents } as unknown as GenerateOptions;
    await expect(sd.generate(options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('options that are left out', () => {
  test('may be passed as undefined', async () => {
    const options = { prompt: '', steps: 1, width: undefined, image: undefined };
    expect((await sd.generate(options)).images).toMatchObject([{ width: 64 }]);
  });

  test('default to 20 steps, a scale of 7.5, one image of the model’s size', async () => {
    const { images, seeds } = await sd.generate({ prompt: 'a car', negativePrompt: 'grey' });
    expect(images).toMatchObject([
      {
        width: 64,
        height: 64,
        parameters: {
          prompt: 'a car',
          negativePrompt: 'grey',
          settings: { Steps: 20, Sampler: 'DDIM', 'CFG scale': 7.5, Seed: seeds[0], Size: '64x64' },
        },
      },
    ]);
  });

  test('are not the same as 0', async () => {
    const { images, seeds } = await sd.generate({ prompt: '', steps: 1, seed: 0, guidanceScale: 0 });
    expect(seeds).toEqual([0]);
    expect(images[0]?.parameters?.settings).toMatchObject({ Seed: 0, 'CFG scale': 0 });
  });

  test('default to a random seed of 32 bits', async () => {
    const { seeds } = await sd.generate({ prompt: '', steps: 1, count: 2 });
    expect(seeds).toEqual([expect.any(Number), Number(seeds[0]) + 1]);
    expect(Number(seeds[0])).toBeLessThan(2 ** 32);
  });
});

describe('the negative prompt', () => {
  test.each([
    [7.5, 2],
    [1, 1],
    [0, 1],
  ])('at a scale of %d: %d prompts are encoded', async (guidanceScale, prompts) => {
    encode.mockClear();
    await sd.generate({ prompt: 'a car', negativePrompt: 'grey', steps: 1, guidanceScale });
    expect(encode.mock.calls.map(([tokens]) => tokens.length)).toEqual([prompts]);
  });
});

test('each image has a generator: it draws the latents first, then the steps’ noise', async () => {
  const draws: (readonly [seed: unknown, count: number])[] = [];
  const rng = (...given: unknown[]): RandomSource => {
    const [seed] = given as [number];
    expect(given).toEqual([seed]);
    const { randn } = torchCpu(seed);
    return {
      randn(count) {
        draws.push([seed, count]);
        return randn(count);
      },
    };
  };
  const scheduler = schedulerFromConfig({ _class_name: 'EulerAncestralDiscreteScheduler' });
  await sd.generate({ prompt: '', width: 16, height: 8, steps: 3, seed: 5, count: 2, rng, scheduler });
  const [first, second] = [draws.slice(0, draws.length / 2), draws.slice(draws.length / 2)];
  expect(first.map(([seed]) => seed)).toEqual(first.map(() => 5));
  expect(second).toEqual(first.map(([, count]) => [6, count]));
  expect(first.map(([, count]) => count)).toEqual([8, 8, 8, 8]);
});
