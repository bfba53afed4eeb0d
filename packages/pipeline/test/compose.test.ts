import { type Scheduler, tensor } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { createPipeline } from '../src/index.js';
import { mockStages, road } from './support.js';

describe('createPipeline', () => {
  test('runs with any objects that implement the interfaces', async () => {
    // A single step with x = x0 + sigma * eps, and a model that predicts 0.5 for every value.
    const scheduler: Scheduler = {
      prediction: 'sample',
      name: 'One step',
      plan: () => ({
        levels: [
          { alpha: 1, sigma: 10, timestep: 999 },
          { alpha: 1, sigma: 0, timestep: 0 },
        ],
        initialSigma: 10,
        stepCount: 1,
        async *sampler(denoise, x, [from, to]) {
          const denoised = await denoise(x, from);
          yield { x: denoised, denoised, level: to! };
        },
      }),
    };
    const samples: number[][] = [];
    const sd = createPipeline({
      textEncoders: [
        {
          tokenizer: { maxLength: 1, encode: () => ({ ids: Int32Array.of(0), length: 1, truncated: '' }) },
          textEncoder: { encode: async (tokens) => tokens.map(() => ({ hidden: tensor('float32', [1, 1]) })) },
        },
      ],
      noisePredictor: {
        inChannels: 1,
        outChannels: 1,
        sampleSize: 3,
        async predict({ sample: { dims, data } }) {
          samples.push([...data]);
          return tensor('float32', dims, new Float32Array(data.length).fill(0.5));
        },
      },
      vae: {
        latentChannels: 1,
        scaleFactor: 1,
        decode: async ({ dims: [n, , h, w], data }) =>
          tensor('float32', [n, 3, h, w], Float32Array.from([...data, ...data, ...data])),
      },
      scheduler,
    });
    const latents = tensor('float32', [1, 1, 2, 3], Float32Array.of(1, -1, 0, 2, -2, 0.5));
    const { images, warnings } = await sd.generate({ prompt: 'anything', height: 2, guidanceScale: 1, latents });
    expect(images).toMatchObject([{ width: 3, height: 2, parameters: { settings: { Sampler: 'One step' } } }]);
    // (0.5 / 2 + 0.5) * 255 = 191.25
    expect([...images[0].data]).toEqual(Array(6).fill([191, 191, 191, 255]).flat());
    // A clean sample with noise of standard deviation 10, scaled to unit variance.
    const scale = 10 / Math.sqrt(1 + 10 ** 2);
    expect(samples).toEqual([[...latents.data].map((value) => expect.closeTo(value * scale, 6))]);
    expect(warnings).toEqual([]);
    expect(sd.warnings).toEqual([]);
    await sd.dispose();
  });

  test('takes a scheduler for one run, as an object or by a name that the caller resolves', async () => {
    const stages = mockStages();
    const named = (name: string): Scheduler => ({ ...stages.scheduler, name });
    const sd = createPipeline({ ...stages, schedulerByName: (name) => named(`the ${name}`) });
    const sampler = async (scheduler?: Scheduler | string) =>
      (await sd.generate({ ...road, scheduler })).images[0].parameters?.settings?.Sampler;
    expect(await sampler()).toBe('DDIM');
    expect(await sampler('best')).toBe('the best');
    expect(await sampler(named('custom'))).toBe('custom');
  });

  test('refuses a noise predictor and a VAE with different numbers of latent channels', () => {
    const { vae } = mockStages();
    expect(() => createPipeline(mockStages({ vae: { ...vae, latentChannels: 16 } }))).toThrow(
      expect.objectContaining({
        code: 'invalid-option',
        option: 'noisePredictor',
        message:
          "noisePredictor: takes 4 channels and returns 4, but the VAE's latents have 16: it must take 16, or 33 for inpainting, or 32 for InstructPix2Pix, and return 16.",
      }),
    );
  });
});
