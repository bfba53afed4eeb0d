import { type Conditions, type NoisePredictor, tensor } from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { mockTextEncoder } from '@sd/text-encoder/testing';
import { mockTokenizer } from '@sd/tokenizer/testing';
import { describe, expect, test } from 'vitest';
import { createPipeline, families, type GenerateOptions } from '../../src/index.js';
import { mockStages } from '../support.js';

const run = { prompt: 'a car', width: 32, height: 16, steps: 4, seed: 1 };

/** A U-Net that records the conditions of each call. */
function recordingUnet(needs: NoisePredictor['needs']): { noisePredictor: NoisePredictor; calls: Conditions[] } {
  const calls: Conditions[] = [];
  const mock = mockNoisePredictor();
  const noisePredictor: NoisePredictor = {
    ...mock,
    needs,
    async predict(input, options) {
      calls.push(input.conditions ?? {});
      return mock.predict(input, options);
    },
  };
  return { noisePredictor, calls };
}

const input = (name: string, ...dims: (string | number)[]) =>
  ({ name, type: 'float32', dims: ['batch', ...dims] }) as const;
const sizes = [input('text_embeds', 'pooled'), input('time_ids', 'numbers')];

const pooling = mockTextEncoder();
const textEncoder: typeof pooling = {
  async encode(tokens, options) {
    const texts = await pooling.encode(tokens, options);
    return texts.map((text) => ({ ...text, pooled: tensor('float32', [3], Float32Array.of(1, 2, 3)) }));
  },
};

function xl(index: Readonly<Record<string, unknown>> = {}) {
  const { noisePredictor, calls } = recordingUnet(sizes);
  const textStage = () => ({ tokenizer: mockTokenizer(), textEncoder });
  const stages = mockStages({ noisePredictor, textEncoders: [textStage(), textStage()] });
  const composition = families.find(({ id }) => id === 'sdxl')!.composition(stages, index);
  return { sd: createPipeline({ ...stages, composition }), calls };
}

describe('SDXL’s micro-conditioning', () => {
  const rows = (calls: readonly Conditions[]) => {
    const { data, dims } = calls[0].time_ids;
    return Array.from({ length: dims[0] }, (_, i) => [...data.subarray(i * dims[1], (i + 1) * dims[1])]);
  };

  test.each<[string, Partial<GenerateOptions>, number[][]]>([
    [
      'is the run’s size by default',
      {},
      [
        [16, 32, 0, 0, 16, 32],
        [16, 32, 0, 0, 16, 32],
      ],
    ],
    [
      'applies to the negative prompt too, unless it has other values',
      {
        microConditioning: { cropTopLeft: { top: 3, left: 4 } },
        negativeMicroConditioning: { originalSize: { width: 8, height: 9 } },
      },
      [
        [9, 8, 3, 4, 16, 32],
        [16, 32, 3, 4, 16, 32],
      ],
    ],
  ])('%s', async (_, options, want) => {
    const { sd, calls } = xl();
    await sd.generate({ ...run, ...options });
    expect(rows(calls)).toEqual(want);
  });

  test('is the second pass’s size in a second pass', async () => {
    const { sd, calls } = xl();
    await sd.generate({ ...run, upscale: { factor: 2 } });
    expect(rows(calls.slice(-1))[0]).toEqual([32, 64, 0, 0, 32, 64]);
  });

  test('does not pass on the refiner’s crop to the negative prompt', async () => {
    const { sd, calls } = xl({ requires_aesthetics_score: true });
    await sd.generate({ ...run, microConditioning: { cropTopLeft: { top: 3, left: 4 } } });
    expect(rows(calls)).toEqual([
      [16, 32, 0, 0, 2.5],
      [16, 32, 3, 4, 6],
    ]);
  });

  test.each<[string, object, string]>([
    [
      'microConditioning',
      { microConditioning: 5 },
      'must be an object with originalSize, cropTopLeft, targetSize, not 5.',
    ],
    [
      'microConditioning.aestheticScore',
      { microConditioning: { aestheticScore: 6 } },
      'is not an option of microConditioning. Its options are originalSize, cropTopLeft, targetSize.',
    ],
    [
      'microConditioning.originalSize.width',
      { microConditioning: { originalSize: { height: 9 } } },
      'must be a whole number from 1 up',
    ],
    [
      'negativeMicroConditioning.cropTopLeft.left',
      { negativeMicroConditioning: { cropTopLeft: { top: 1, left: 0.5 } } },
      'must be a whole number',
    ],
    ['prompt2', { prompt2: 5 }, 'must be a string, not 5.'],
    ['output', { output: 'png' }, 'must be images or latents, not "png".'],
  ])('is checked: %s', async (option, options, message) => {
    const error = { code: 'invalid-option', option, message: expect.stringContaining(message) };
    await expect(xl().sd.generate({ ...run, ...options })).rejects.toMatchObject(error);
  });
});

test.each<[count: number, option: string, needed: number]>([
  [1, 'prompt2', 2],
  [1, 'negativePrompt2', 2],
  [1, 'prompt3', 3],
  [2, 'prompt3', 3],
  [2, 'negativePrompt3', 3],
])('a model with %i text encoders refuses %s', async (count, option, needed) => {
  const { sd } = count === 1 ? { sd: createPipeline(mockStages()) } : xl();
  await expect(sd.generate({ ...run, [option]: 'a house' })).rejects.toMatchObject({
    code: 'invalid-option',
    option,
    message: `${option}: is for a model with ${needed} text encoders; this one has ${count}.`,
  });
});

test('stages with two text encoders and a noise predictor that takes sizes are composed as SDXL', async () => {
  const { noisePredictor, calls } = recordingUnet(sizes);
  const textStage = () => ({ tokenizer: mockTokenizer(), textEncoder });
  const stages = mockStages({ noisePredictor, textEncoders: [textStage(), textStage()] });
  const sd = createPipeline(stages);
  const { calls: expected, sd: composed } = xl();
  const options = { ...run, microConditioning: { cropTopLeft: { top: 3, left: 4 } }, output: 'latents' } as const;
  const { latents } = await sd.generate(options);
  expect(latents).toEqual((await composed.generate(options)).latents);
  expect(calls).toEqual(expected);
  const plain = createPipeline({ ...stages, noisePredictor: mockNoisePredictor() });
  await expect(plain.generate(options)).rejects.toMatchObject({ option: 'microConditioning' });
});

describe('a model with one text encoder and no other inputs', () => {
  const sd = createPipeline(mockStages());

  test.each<[string, object]>([
    ['prompt2', { prompt2: 'a house' }],
    ['negativePrompt2', { negativePrompt2: 'snow' }],
    ['microConditioning', { microConditioning: {} }],
    ['imageGuidanceScale', { imageGuidanceScale: 1 }],
  ])('refuses %s', async (option, options) => {
    await expect(sd.generate({ ...run, ...options })).rejects.toMatchObject({ code: 'invalid-option', option });
  });
});

describe('a range of the steps', () => {
  const sd = createPipeline(mockStages());
  const latents = (n = 1) => tensor('float32', [n, 4, 2, 4]);

  test('up to a fraction of the noise, then another from there, equal a whole run', async () => {
    const whole = await sd.generate({ ...run, output: 'latents' });
    const half = await sd.generate({ ...run, output: 'latents', denoisingEnd: 0.5 });
    const image = half.latents!;
    const rest = await sd.generate({
      ...run,
      width: undefined,
      height: undefined,
      image,
      denoisingStart: 0.5,
      output: 'latents',
    });
    expect(rest.latents).toEqual(whole.latents);
    expect(half.latents).not.toEqual(whole.latents);
  });

  test('can start from latents, one row per image', async () => {
    const both = latents(2);
    both.data.fill(0.5, 32);
    const { latents: batch } = await sd.generate({ ...run, image: both, strength: 0.5, count: 2, output: 'latents' });
    for (const i of [0, 1]) {
      const image = tensor('float32', [1, 4, 2, 4], both.data.slice(32 * i, 32 * (i + 1)));
      const { latents: single } = await sd.generate({ ...run, image, strength: 0.5, seed: 1 + i, output: 'latents' });
      expect(single!.data).toEqual(batch!.data.slice(32 * i, 32 * (i + 1)));
    }
  });

  test.each<[string, object, string]>([
    ['denoisingStart', { denoisingStart: 0.5 }, 'has no effect without an image.'],
    ['denoisingStart', { denoisingStart: 1, image: latents() }, 'must be between 0 and 1, not 1.'],
    ['denoisingStart', { denoisingStart: 0.9999, image: latents() }, 'leaves no steps to take'],
    ['denoisingEnd', { denoisingEnd: 0 }, 'must be between 0 and 1, not 0.'],
    ['denoisingEnd', { denoisingEnd: 0.01 }, 'leaves no steps to take'],
    ['denoisingEnd', { denoisingEnd: 0.3, denoisingStart: 0.5, image: latents() }, 'must be above denoisingStart'],
    ['denoisingEnd', { denoisingEnd: 0.5, upscale: { factor: 2 } }, 'cannot be combined with upscale'],
    ['strength', { strength: 0.5, denoisingStart: 0.5, image: latents() }, 'cannot be combined with denoisingStart'],
    ['fit', { fit: 'crop', image: latents() }, 'needs an image, not latents.'],
  ])('%s: %o', async (option, options, message) => {
    const error = { code: 'invalid-option', option, message: expect.stringContaining(message) };
    await expect(sd.generate({ ...run, ...options })).rejects.toMatchObject(error);
  });

  test('refuses latents of another shape', async () => {
    await expect(sd.generate({ ...run, image: tensor('float32', [1, 3, 2, 4]) })).rejects.toThrow(
      'image must be float32 [1, 4, 2, 4] for this size, not float32 [1,3,2,4]',
    );
  });
});

test('a guidance-distilled model takes the scale as an input, and predicts with the prompt alone', async () => {
  const { noisePredictor, calls } = recordingUnet([input('timestep_cond', 8)]);
  const sd = createPipeline(mockStages({ noisePredictor }));
  await sd.generate({ ...run, guidanceScale: 1 });
  await sd.generate({ ...run, guidanceScale: 8 });
  expect(calls).toHaveLength(8);
  const [atOne, atEight] = [calls[0].timestep_cond, calls[4].timestep_cond];
  expect([atOne.dims, atEight.dims]).toEqual([
    [1, 8],
    [1, 8],
  ]);
  expect([...atOne.data]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(atEight.data).not.toEqual(atOne.data);
});
