import { openFolder } from '@sd/backend-node';
import type { Source } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { largestDifference } from '../../../image/test/support.js';
import { type GenerateOptions, loadPipeline } from '../../src/index.js';
import { bytesOf, compareRun, road } from '../start-support.js';
import { using } from '../support.js';

const sd1 = fixture('models/sd1');
const fromPicture = fixture('adapters/from-picture');

/** The SD 1 fixture with the U-Net and scheduler of another folder. */
async function withComponents(folder: string, schedulerClass: string): Promise<Source> {
  const [base, other] = await Promise.all([openFolder(sd1), openFolder(folder)]);
  return {
    async read(path, range) {
      if (path !== 'model_index.json') return (/^(unet|scheduler)\//.test(path) ? other : base).read(path, range);
      const index = JSON.parse(new TextDecoder().decode(await base.read(path)));
      return new TextEncoder().encode(JSON.stringify({ ...index, scheduler: ['diffusers', schedulerClass] }));
    },
  };
}

describe('a latent consistency model', () => {
  const folder = fixture('adapters/lcm');
  const load = async () => loadPipeline(await withComponents(folder, 'LCMScheduler'));
  const { negativePrompt: _, ...prompt } = road;
  const run = { ...prompt, width: 96, height: 64, steps: 4, guidanceScale: 8.5 };

  test('takes the guidance scale as an input, as in diffusers', async () => {
    const golden = readGolden('golden.safetensors', folder);
    await using(load(), async (sd) => {
      const { latents, colours } = await compareRun(sd, golden, 'run', run, { row: 'lcm' });
      expect(latents).toBeLessThan(1e-3);
      expect(colours).toBeLessThanOrEqual(1);
    });
  });

  test('depends on the scale, but not on the negative prompt', async () => {
    await using(load(), async (sd) => {
      const latents = async (options: Partial<GenerateOptions>) =>
        (await sd.generate({ ...run, output: 'latents', ...options })).latents!.data;
      const plain = await latents({});
      expect(relativeError(await latents({ guidanceScale: 2 }), plain)).toBeGreaterThan(1e-3);
      expect(await latents({ negativePrompt: 'pixel art' })).toEqual(plain);
    });
  });
});

describe('InstructPix2Pix', () => {
  const load = async () => loadPipeline(await withComponents(`${fromPicture}/pix2pix`, 'EulerDiscreteScheduler'));
  const image = bytesOf(fromPicture, 'image.png');
  const run = { ...road, image, steps: 6, imageGuidanceScale: 1.5 };

  test('guides by prompt and image as diffusers does', async () => {
    await using(load(), async (sd) => {
      const golden = readGolden('golden.safetensors', fromPicture);
      const { levels } = sd.stages.scheduler.plan(6);
      const { latents, colours } = await compareRun(sd, golden, 'pix2pix.run', run, { row: 'pix2pix', levels });
      expect(latents).toBeLessThan(1e-3);
      expect(colours).toBeLessThanOrEqual(1);
    });
  });

  test('needs an image, and refuses options for starting from one', async () => {
    await using(load(), async (sd) => {
      const refused = (options: Partial<GenerateOptions>) =>
        expect(sd.generate({ ...run, ...options })).rejects.toMatchObject({ code: 'invalid-option' });
      await refused({ image: undefined });
      await refused({ mask: image });
      await refused({ strength: 0.5 });
      await refused({ denoisingStart: 0.5 });
      await refused({ upscale: { factor: 2 } });
      await refused({ imageGuidanceScale: Number.NaN });
    });
    await using(loadPipeline(sd1), async (sd) => {
      await expect(sd.generate({ ...road, imageGuidanceScale: 1.5 })).rejects.toMatchObject({
        option: 'imageGuidanceScale',
      });
    });
  });
});

describe('a tiny autoencoder', () => {
  const taesd = fixture('models/taesd');
  const run = { ...road, width: 96, height: 64, steps: 2 };

  test('can be used for previews only', async () => {
    await using(loadPipeline(sd1, { components: { preview_vae: taesd } }), async (sd) => {
      let difference = 0;
      const onStep: GenerateOptions['onStep'] = async ({ denoised, preview }) => {
        const want = await sd.stages.previewVae!.decode(denoised);
        const { width, height, data } = await preview();
        expect([width, height]).toEqual([96, 64]);
        const red = Array.from({ length: 96 * 64 }, (_, i) => data[4 * i]);
        const clamped = red.map((_, i) => Math.round(255 * Math.min(1, Math.max(0, want.data[i] / 2 + 0.5))));
        difference = Math.max(difference, largestDifference(red, clamped));
      };
      const { images } = await sd.generate({ ...run, onStep });
      expect(difference).toBeLessThanOrEqual(1);
      const plain = await using(loadPipeline(sd1), (other) => other.generate(run));
      expect(images[0].data).toEqual(plain.images[0].data);
    });
  });

  test('can replace the VAE as in diffusers, and encodes images without drawing noise', async () => {
    const golden = readGolden('runs.safetensors', taesd);
    const [image, mask] = ['image', 'mask'].map((name) => bytesOf(fromPicture, `${name}.png`));
    await using(loadPipeline(sd1, { components: { vae: taesd } }), async (sd) => {
      for (const [name, options] of [
        ['run', { width: 96, height: 64, steps: 4 }],
        ['img2img', { image, steps: 6, strength: 0.6 }],
        ['inpaint4', { image, mask, steps: 4, strength: 0.9 }],
      ] as const) {
        const { latents, colours } = await compareRun(sd, golden, name, { ...road, ...options }, { row: 'taesd' });
        expect(latents).toBeLessThan(1e-3);
        expect(colours).toBeLessThanOrEqual(1);
      }
    });
  });
});
