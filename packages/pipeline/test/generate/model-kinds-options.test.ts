import { type Conditions, type NoisePredictor, tensor } from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { mockTextEncoder } from '@sd/text-encoder/testing';
import { mockTokenizer } from '@sd/tokenizer/testing';
import { describe, expect, test } from 'vitest';
import { createPipeline, families, type GenerateOptions } from '../../src/index.js';
import { mockStages } from '../support.js';

const run = { prompt: 'a car', width: 32, height: 16, steps: 4, seed: 1 };

/** A U-Net that keeps what it is told, call by call. */
function told(needs: NoisePredictor['needs']): { noisePredictor: NoisePredictor; calls: Conditions[] } {
  const calls: Conditions[] = [];
  const mock = mockNoisePredictor();
  const noisePredictor: NoisePredictor = {
    ...mock,
    ...(needs && { needs }),
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
  const { noisePredictor, calls } = told(sizes);
  const textStage = () => ({ tokenizer: mockTokenizer(), textEncoder });
  const stages = mockStages({ noisePredictor, textEncoders: [textStage(), textStage()] });
  const composition = families.find(({ id }) => id === 'sdxl')!.composition(stages, index);
  return { sd: createPipeline({ ...stages, composition }), calls };
}

describe('what SDXL is told', () => {
  const rows = (calls: readonly Conditions[]) => {
    const { data, dims } = calls[0]!.time_ids!;
    return Array.from({ length: dims[0]! }, (_, i) => [...data.subarray(i * dims[1]!, (i + 1) * dims[1]!)]);
  };

  test.each<[string, Partial<GenerateOptions>, number[][]]>([
    [
      'the run’s size by default',
      {},
      [
        [16, 32, 0, 0, 16, 32],
        [16, 32, 0, 0, 16, 32],
      ],
    ],
    [
      'for the negative prompt too, but what it has of its own',
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

  test('a second pass is told of its own size', async () => {
    const { sd, calls } = xl();
    await sd.generate({ ...run, upscale: { factor: 2 } });
    expect(rows(calls.slice(-1))[0]).toEqual([32, 64, 0, 0, 32, 64]);
  });

  test('the refiner’s crop is not handed on to the negative prompt', async () => {
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
  ])('%s is checked', async (option, options, message) => {
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
])('a model of %i text encoders has no use for %s', async (count, option, needed) => {
  const { sd } = count === 1 ? { sd: createPipeline(mockStages()) } : xl();
  await expect(sd.generate({ ...run, [option]: 'a house' })).rejects.toMatchObject({
    code: 'invalid-option',
    option,
    message: `${option}: is for a model with ${needed} text encoders; this one has ${count}.`,
  });
});

test('stages of two text encoders and a noise predictor that takes sizes are composed as SDXL’s', async () => {
  const { noisePredictor, calls } = told(sizes);
  const textStage = () => ({ tokenizer: mockTokenizer(), textEncoder });
  const stages = mockStages({ noisePredictor, textEncoders: [textStage(), textStage()] });
  const sd = createPipeline(stages);
  const { calls: wanted, sd: composed } = xl();
  const options = { ...run, microConditioning: { cropTopLeft: { top: 3, left: 4 } }, output: 'latents' } as const;
  const { latents } = await sd.generate(options);
  expect(latents).toEqual((await composed.generate(options)).latents);
  expect(calls).toEqual(wanted);
  const plain = createPipeline({ ...stages, noisePredictor: mockNoisePredictor() });
  await expect(plain.generate(options)).rejects.toMatchObject({ option: 'microConditioning' });
});

describe('a model of one text encoder, that is told nothing', () => {
  const sd = createPipeline(mockStages());

  test.each<[string, object]>([
    ['prompt2', { prompt2: 'a house' }],
    ['negativePrompt2', { negativePrompt2: 'snow' }],
    ['microConditioning', { microConditioning: {} }],
    ['imageGuidanceScale', { imageGuidanceScale: 1 }],
  ])('has no use for %s', async (option, options) => {
    await expect(sd.generate({ ...run, ...options })).rejects.toMatchObject({ code: 'invalid-option', option });
  });
});

describe('a part of the steps', () => {
  const sd = createPipeline(mockStages());
  const latents = (n = 1) => tensor('float32', [n, 4, 2, 4]);

  test('to a part of the noise, and on from there, is the whole run', async () => {
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

  test('latents are started from as pictures are, each row a picture', async () => {
    const both = latents(2);
    both.data.fill(0.5, 32);
    const { latents: two } = await sd.generate({ ...run, image: both, strength: 0.5, count: 2, output: 'latents' });
    for (const i of [0, 1]) {
      const image = tensor('float32', [1, 4, 2, 4], both.data.slice(32 * i, 32 * (i + 1)));
      const { latents: one } = await sd.generate({ ...run, image, strength: 0.5, seed: 1 + i, output: 'latents' });
      expect(one!.data).toEqual(two!.data.slice(32 * i, 32 * (i + 1)));
    }
  });

  test.each<[string, object, string]>([
    ['denoisingStart', { denoisingStart: 0.5 }, 'has no meaning without an image.'],
    ['denoisingStart', { denoisingStart: 1, image: latents() }, 'must be between 0 and 1, not 1.'],
    ['denoisingStart', { denoisingStart: 0.9999, image: latents() }, 'leaves no step to take'],
    ['denoisingEnd', { denoisingEnd: 0 }, 'must be between 0 and 1, not 0.'],
    ['denoisingEnd', { denoisingEnd: 0.01 }, 'leaves no step to take'],
    ['denoisingEnd', { denoisingEnd: 0.3, denoisingStart: 0.5, image: latents() }, 'must be above denoisingStart'],
    ['denoisingEnd', { denoisingEnd: 0.5, upscale: { factor: 2 } }, 'does not go with upscale'],
    ['strength', { strength: 0.5, denoisingStart: 0.5, image: latents() }, 'does not go with denoisingStart'],
    ['fit', { fit: 'crop', image: latents() }, 'needs an image of pixels, not latents.'],
  ])('%s: %o', async (option, options, message) => {
    const error = { code: 'invalid-option', option, message: expect.stringContaining(message) };
    await expect(sd.generate({ ...run, ...options })).rejects.toMatchObject(error);
  });

  test('latents of another shape are named', async () => {
    await expect(sd.generate({ ...run, image: tensor('float32', [1, 3, 2, 4]) })).rejects.toThrow(
      'image must be float32 [1, 4, 2, 4] for this size, not float32 [1,3,2,4]',
    );
  });
});

test('a model that guides itself is told the scale, and asked for the prompt alone', async () => {
  const { noisePredictor, calls } = told([input('timestep_cond', 8)]);
  const sd = createPipeline(mockStages({ noisePredictor }));
  await sd.generate({ ...run, guidanceScale: 1 });
  await sd.generate({ ...run, guidanceScale: 8 });
  expect(calls).toHaveLength(8);
  const [one, eight] = [calls[0]!.timestep_cond!, calls[4]!.timestep_cond!];
  expect([one.dims, eight.dims]).toEqual([
    [1, 8],
    [1, 8],
  ]);
  expect([...one.data]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(eight.data).not.toEqual(one.data);
});
