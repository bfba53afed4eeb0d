import { type NoisePredictorInput, type RandomSource, tensor, torchCpu, type Vae } from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import type { Pixels } from '@sd/image';
import { schedulerFromConfig } from '@sd/scheduler';
import { mockVae } from '@sd/vae/testing';
import { describe, expect, test, vi } from 'vitest';
import { createPipeline, type GenerateOptions, type StepEvent } from '../../../src/index.js';
import { mockStages } from '../../support.js';

function plain(width: number, height: number, level: number | ((x: number, y: number) => number)): Pixels {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    const value = typeof level === 'number' ? level : level(i % width, Math.floor(i / width));
    data.fill(value, i * 4, i * 4 + 3);
  }
  return { width, height, data };
}

/** A mock of an inpainting U-Net, which takes 9 channels and returns 4. */
function unetOf9() {
  const unet = mockNoisePredictor();
  return {
    ...unet,
    inChannels: 9,
    async predict({ sample, ...input }: NoisePredictorInput) {
      const [n, , height, width] = sample.dims as [number, number, number, number];
      const size = height * width;
      const rows = Array.from({ length: n }, (_, i) => sample.data.subarray(9 * i * size, (9 * i + 4) * size));
      const latents = Float32Array.from(rows.flatMap((values) => Array.from(values)));
      return unet.predict({ ...input, sample: tensor('float32', [n, 4, height, width], latents) });
    },
  };
}

const image = plain(64, 64, 90);
const mask = plain(64, 64, (x) => (x < 32 ? 255 : 0));

/** The mock with an encoder: values of the image's first row in all rows and channels, with a small deviation. */
const vae: Vae = {
  ...mockVae(),
  async encode({ dims, data }) {
    const [, , height, width] = dims as [number, number, number, number];
    const shape = [1, 4, height / 8, width / 8];
    const at = (i: number) => data[Math.floor((i % (width / 8)) * 8)];
    const mean = Float32Array.from({ length: (4 * height * width) / 64 }, (_, i) => at(i));
    return {
      mean: tensor('float32', shape, mean),
      std: tensor(
        'float32',
        shape,
        mean.map(() => 0.01),
      ),
    };
  },
};
const stages = mockStages({ vae });
const encode = vi.spyOn(stages.textEncoders[0].textEncoder, 'encode');
const sd = createPipeline(stages);
const inpainting = createPipeline(mockStages({ vae, noisePredictor: unetOf9() }));
const base = { prompt: 'a car', steps: 4, seed: 3 };

describe('invalid options are refused before anything runs', () => {
  test.each<[option: string, options: object, message: string]>([
    ['image', { image: null }, 'must be a Uint8Array'],
    ['image', { image: new Uint8Array([1, 2]) }, 'must be a PNG, JPEG, WebP or AVIF file'],
    ['mask', { image, mask: 'white' }, 'must be a Uint8Array'],
    ['mask', { mask }, 'has no effect without an image'],
    ['strength', { strength: 0.5 }, 'has no effect without an image'],
    ['fit', { fit: 'cover' }, 'has no effect without an image'],
    ['strength', { image, strength: 1.1 }, 'must be from 0 to 1, not 1.1'],
    ['strength', { image, strength: '1' }, 'must be from 0 to 1, not "1"'],
    ['strength', { image, strength: 0.24 }, '0.24 of 4 steps is less than one step: use at least 0.25'],
    ['strength', { image, strength: 0 }, 'less than one step'],
    ['image', { image: plain(60, 90, 0) }, 'has 60 x 90 pixels, but sides must be multiples of 8'],
    ['fit', { image, width: 32 }, 'the image has 64 x 64 pixels, but 32 x 64 are needed'],
    ['fit', { image, mask: plain(32, 32, 0) }, 'the mask has 32 x 32 pixels'],
    ['fit', { image, width: 32, fit: 'squeeze' }, 'must be cover or contain or stretch or crop, not "squeeze"'],
    ['variationSeed', { variationSeed: 5 }, 'needs a variationStrength'],
    ['variationSeed', { variationSeed: 0.5, variationStrength: 0.5 }, 'must be a whole number'],
    ['variationStrength', { variationStrength: 2 }, 'must be from 0 to 1, not 2'],
    ['upscale', { upscale: 2 }, 'must be an object with factor, width, height, strength, steps, not 2'],
    ['upscale.scale', { upscale: { scale: 2 } }, 'is not an option of upscale. Its options are factor, '],
    ['upscale', { upscale: {} }, 'must have either a factor, or a width and a height'],
    ['upscale', { upscale: { width: 128 } }, 'must have either a factor, or a width and a height'],
    [
      'upscale',
      { upscale: { factor: 2, width: 128, height: 128 } },
      'must have either a factor, or a width and a height',
    ],
    ['upscale.factor', { upscale: { factor: -2 } }, 'must be a number above 0'],
    ['upscale.width', { upscale: { factor: 1.3 } }, 'must be'],
    ['upscale.steps', { upscale: { factor: 2, steps: 0 } }, 'must be a whole number from 1 up'],
    ['upscale.strength', { upscale: { factor: 2, strength: 0.1 } }, '0.1 of 4 steps is less than one step'],
    ['upscale', { image, mask, upscale: { factor: 2 } }, 'cannot be combined with a mask'],
    ['blend', { blend: 'a house' }, 'must be an object with prompt, negativePrompt, amount'],
    ['blend.amount', { blend: { prompt: 'a house' } }, 'must be from 0 to 1, not undefined'],
    ['blend.prompt', { blend: { prompt: 5, amount: 1 } }, 'must be a string, not 5'],
    [
      'blend',
      { prompt: [{ text: 'a' }, { text: 'b' }], blend: { prompt: 'c', amount: 1 } },
      'can be used with a single prompt only',
    ],
  ])('%s: %j', async (option, options, message) => {
    encode.mockClear();
    const given = { ...base, ...options } as GenerateOptions;
    const error = { code: 'invalid-option', option, message: expect.stringContaining(message) };
    await expect(sd.generate(given)).rejects.toMatchObject(error);
    expect(encode).not.toHaveBeenCalled();
  });

  test.each([
    ['image', {}],
    ['mask', { image }],
  ])('an inpainting U-Net needs option %s', async (option, options) => {
    await expect(inpainting.generate({ ...base, ...options })).rejects.toMatchObject({
      code: 'invalid-option',
      option,
      message: `${option}: is required: this is an inpainting model, which repaints a region of an image.`,
    });
  });

  test('a run from an image needs a VAE with an encoder', async () => {
    const error = { code: 'unsupported', message: expect.stringContaining('encode()') };
    await expect(createPipeline(mockStages({ vae: mockVae() })).generate({ ...base, image })).rejects.toMatchObject(
      error,
    );
  });
});

describe('the size', () => {
  test.each([
    ['is the image’s', { image: plain(48, 80, 0) }, [48, 80]],
    ['is the given one', { image, width: 96, height: 32, fit: 'cover' }, [96, 32]],
    ['may be given for one side', { image, width: 96, fit: 'contain' }, [96, 64]],
    ['is enlarged by a factor', { image, upscale: { factor: 1.5 } }, [96, 96]],
    ['is enlarged to the given one', { width: 64, height: 32, upscale: { width: 128, height: 72 } }, [128, 72]],
  ] as const)('%s', async (_, options, size) => {
    const [generated] = (await sd.generate({ ...base, ...options })).images;
    expect([generated.width, generated.height]).toEqual(size);
  });
});

describe('random draws', () => {
  const drawsOf = async (pipeline: typeof sd, options: Partial<GenerateOptions>) => {
    const draws: string[] = [];
    const rng = (seed: number | bigint): RandomSource => {
      const { randn } = torchCpu(seed);
      return {
        randn(count) {
          draws.push(`${seed}: ${count}`);
          return randn(count);
        },
      };
    };
    await pipeline.generate({ ...base, steps: 2, width: 64, height: 64, rng, ...options });
    return draws;
  };
  const ancestral = schedulerFromConfig({ _class_name: 'EulerAncestralDiscreteScheduler' });

  test.each<[name: string, options: Partial<GenerateOptions>, draws: string[]]>([
    ['the noise', {}, ['3: 256']],
    ['posterior, noise', { image }, ['3: 256', '3: 256']],
    ['posterior, noise, masked posterior', { image, mask }, ['3: 256', '3: 256', '3: 256']],
    ['posterior, with the caller’s noise', { image, latents: latents() }, ['3: 256']],
    ['noise, noise of the second pass', { upscale: { factor: 2 } }, ['3: 256', '3: 1024']],
    ['two noises', { variationSeed: 8, variationStrength: 0.1 }, ['3: 256', '8: 256']],
    ['one noise at strength 0', { variationSeed: 8, variationStrength: 0 }, ['3: 256']],
  ])('%s', async (_, options, draws) => {
    expect(await drawsOf(sd, options)).toEqual(draws);
  });

  test('an inpainting U-Net: noise and masked posterior, and the posterior unless it starts from noise', async () => {
    expect(await drawsOf(inpainting, { image, mask })).toHaveLength(2);
    expect(await drawsOf(inpainting, { image, mask, strength: 0.9 })).toHaveLength(3);
  });

  test('the steps’ noise comes last', async () => {
    expect((await drawsOf(sd, { image, mask, scheduler: ancestral })).length).toBeGreaterThan(3);
  });

  function latents() {
    return { type: 'float32', dims: [1, 4, 8, 8], data: new Float32Array(256) } as const;
  }
});

describe('variations', () => {
  test('share a seed, have consecutive variation seeds, and record both', async () => {
    const options = { ...base, count: 3, variationSeed: 8n, variationStrength: 0.25 };
    const { images, seeds, variationSeeds } = await sd.generate(options);
    expect(seeds).toEqual([3, 3, 3]);
    expect(variationSeeds).toEqual([8n, 9n, 10n]);
    expect(images[1]?.parameters?.settings).toMatchObject({
      Seed: 3,
      'Variation seed': 9n,
      'Variation seed strength': 0.25,
    });
  });

  test('of strength 1 are the other seed’s image', async () => {
    const [variation] = (await sd.generate({ ...base, variationSeed: 8, variationStrength: 1 })).images;
    expect(variation.data).toEqual((await sd.generate({ ...base, seed: 8 })).images[0].data);
  });

  test('have a random seed by default, which the result contains', async () => {
    const { variationSeeds } = await sd.generate({ ...base, variationStrength: 0.5 });
    expect(variationSeeds).toEqual([expect.any(Number)]);
    expect((await sd.generate(base)).variationSeeds).toBeUndefined();
  });
});

test('the strength and the second pass are recorded under A1111’s names', async () => {
  const { images } = await sd.generate({ ...base, image, strength: 0.5 });
  expect(images[0]?.parameters?.settings).toMatchObject({ Steps: 4, 'Denoising strength': 0.5, Size: '64x64' });
  const upscaled = await sd.generate({ ...base, upscale: { factor: 2, strength: 0.75, steps: 8 } });
  expect(upscaled.images[0]?.parameters?.settings).toMatchObject({
    'Denoising strength': 0.75,
    'Hires resize': '128x128',
    'Hires steps': 8,
    'Hires upscaler': 'Latent',
    Size: '64x64',
  });
});

test('two passes count their steps as one run', async () => {
  const steps: string[] = [];
  const upscale = { factor: 2, strength: 0.5, steps: 6 };
  await sd.generate({ ...base, upscale, onStep: ({ step, steps: of }) => void steps.push(`${step} of ${of}`) });
  expect(steps).toEqual(['0 of 7', '1 of 7', '2 of 7', '3 of 7', '4 of 7', '5 of 7', '6 of 7']);
});

test('the kept region is unchanged to the bit, and grays fade', async () => {
  const fading = plain(64, 64, (x) => Math.max(0, 255 - 4 * x));
  const last = async (options: Partial<GenerateOptions>) => {
    let latents = new Float32Array();
    const keep = (step: StepEvent) => {
      latents = step.latents.data.slice();
    };
    await sd.generate({ ...base, image, ...options, onStep: keep });
    return latents;
  };
  const kept = await last({ mask: plain(64, 64, 0) });
  const [hard, soft, whole] = [
    await last({ mask }),
    await last({ mask: fading }),
    await last({ mask: plain(64, 64, 255) }),
  ];
  for (let x = 4; x < 8; x++) expect(hard[x]).toBe(kept[x]);
  expect(hard[0]).not.toBe(kept[0]);
  expect(soft[0]).toBeCloseTo(whole[0], 1);
  expect(soft[3]).not.toBe(kept[3]);
  expect(soft[3]).not.toBe(hard[3]);
});

test('the VAE is released after encoding', async () => {
  const calls: string[] = [];
  const mocks = mockStages();
  const recording = <T extends object>(name: string, stage: T): T => ({
    ...stage,
    release: async () => void calls.push(name),
  });
  const released = createPipeline({
    ...mocks,
    vae: recording('vae', vae),
    noisePredictor: recording('unet', mocks.noisePredictor),
    releaseStages: true,
  });
  for await (const { type } of released.stream({ ...base, image })) calls.push(type);
  expect(calls.slice(0, 2)).toEqual(['vae', 'encode']);
});
