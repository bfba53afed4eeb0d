import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';

import { type GenerateOptions, inspect, loadPipeline, type Pipeline } from '../../src/index.js';
import { using } from '../support.js';

const golden = readGolden('few-step.safetensors', fileURLToPath(new URL('../data', import.meta.url)));
const temporary = mkdtempSync(path.join(tmpdir(), 'few-step-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const run: GenerateOptions = {
  prompt: 'a blue car on a road',
  negativePrompt: 'pixel art',
  width: 96,
  height: 64,
  seed: 42,
};

/** A copy of a small model under a name, with other values in its scheduler's config. */
function modelNamed(name: string, model: string, scheduler: object = {}): string {
  const folder = path.join(temporary, name);
  cpSync(fixture(`models/${model}`), folder, { recursive: true });
  const file = path.join(folder, 'scheduler/scheduler_config.json');
  const config = { ...JSON.parse(readFileSync(file, 'utf8')), ...scheduler };
  writeFileSync(file, JSON.stringify(config));
  const index = path.join(folder, 'model_index.json');
  const listed = { ...JSON.parse(readFileSync(index, 'utf8')), scheduler: ['diffusers', config._class_name] };
  writeFileSync(index, JSON.stringify(listed));
  return folder;
}

/** A copy of a small adapter's file or folder under a name. */
function adapterNamed(name: string, original: string): string {
  const copy = path.join(temporary, name);
  cpSync(fixture(`adapters/${original}`), copy, { recursive: true });
  return copy;
}

const loras = {
  sd1: 'lora-peft/pytorch_lora_weights.safetensors',
  sdxl: 'lora-sdxl/style.safetensors',
  motion: 'animatediff/motion',
};

async function latentsOf(sd: Pipeline, options: GenerateOptions = {} as GenerateOptions): Promise<Float32Array> {
  return (await sd.generate({ ...run, ...options, output: 'latents' })).latents!.data;
}

async function settingsOf(sd: Pipeline) {
  const { images } = await sd.generate(run);
  const { Steps, Sampler, 'CFG scale': scale } = images[0].parameters?.settings ?? {};
  return [Sampler, Steps, scale];
}

describe('a distilled model draws as its authors say, with no options set', () => {
  test.each([
    // A published config with the wrong spacing.
    ['sdxl_lightning_4step', 'sdxl', 'lightning'],
    ['sdxl_lightning_1step_x0', 'sdxl', 'lightning-x0'],
    ['koala-lightning-700m', 'sdxl', 'koala'],
    ['Hyper-SDXL-1step-Unet', 'sdxl', 'hyper-unet'],
    ['dmd2_sdxl_1step_unet_fp16', 'sdxl', 'dmd2-unet'],
    ['sdxl-turbo', 'sdxl', 'turbo'],
    ['fantasyTurboV2', 'sd1', 'turbo-merge'],
    ['sdxs-512-0.9', 'sd1', 'sdxs'],
    ['stable-diffusion-3.5-large-turbo', 'sd3', 'sd3-turbo'],
  ] as const)('%s', async (name, model, figures) => {
    await using(loadPipeline(modelNamed(name, model)), async (sd) => {
      expect(relativeError(await latentsOf(sd), golden(figures).data)).toBeLessThan(1e-3);
    });
  });
});

describe('a distillation that is attached', () => {
  test.each([
    ['pcm_sd15_smallcfg_4step_converted.safetensors', 'sd1', 'pcm'],
    ['pcm_sd15_normalcfg_8step_converted.safetensors', 'sd1', 'pcm-cfg'],
    ['lcm-lora-sdv1-5/pytorch_lora_weights.safetensors', 'sd1', 'lcm-lora'],
  ] as const)('%s', async (name, model, figures) => {
    await using(loadPipeline(fixture(`models/${model}`)), async (sd) => {
      await sd.attach(adapterNamed(name, loras[model]));
      expect(relativeError(await latentsOf(sd), golden(figures).data)).toBeLessThan(1e-3);
    });
  });

  test.each([
    ['AnimateDiff-Lightning-4step', 'animatediff-lightning'],
    ['AnimateLCM', 'animatelcm'],
  ])('%s, which makes clips', async (name, figures) => {
    await using(loadPipeline(fixture('models/sd1')), async (sd) => {
      await sd.attach(adapterNamed(name, loras.motion), { name: 'motion' });
      const got = await latentsOf(sd, { prompt: run.prompt, adapters: { motion: { frames: 4 } } });
      // diffusers: [channels, frames, h, w]; here [frames, channels, h, w].
      const { dims, data } = golden(figures);
      const [channels, frames, ...size] = dims;
      const plane = size[0] * size[1];
      const want = Float32Array.from(got, (_, i) => {
        const [frame, channel] = [Math.floor(i / (channels * plane)), Math.floor(i / plane) % channels];
        return data[(channel * frames + frame) * plane + (i % plane)];
      });
      expect(relativeError(got, want)).toBeLessThan(1e-3);
    });
  });

  test('sets the defaults until it is detached, and only for runs that it acts on; options go first', async () => {
    await using(loadPipeline(fixture('models/sd1')), async (sd) => {
      expect(await settingsOf(sd)).toEqual(['PNDM', 20, 7.5]);
      const file = adapterNamed('lcm.safetensors', loras.sd1);
      expect((await sd.attach(file)).warnings).toEqual([]);
      expect(await settingsOf(sd)).toEqual(['LCM', 4, 1]);
      const own = { scheduler: 'euler', steps: 2, guidanceScale: 3 };
      const { images } = await sd.generate({ ...run, ...own });
      expect(images[0].parameters!.settings).toMatchObject({ Sampler: 'Euler', Steps: 2, 'CFG scale': 3 });
      const off = await sd.generate({ ...run, adapters: { lcm: 0 } });
      expect(off.images[0].parameters!.settings).toMatchObject({ Sampler: 'PNDM', Steps: 20 });
      await sd.detach('lcm');
      expect(await settingsOf(sd)).toEqual(['PNDM', 20, 7.5]);
    });
  });

  test('that disagrees with another wins if it was attached later, and a warning says so', async () => {
    await using(loadPipeline(fixture('models/sd1')), async (sd) => {
      await sd.attach(adapterNamed('Hyper-SD15-1step-lora.safetensors', loras.sd1), { name: 'hyper' });
      const { warnings } = await sd.attach(adapterNamed('tcd-lora.safetensors', loras.sd1), { name: 'tcd' });
      expect(warnings).toMatchObject([{ code: 'defaults-differ', message: expect.stringContaining('Those of tcd') }]);
      const { warnings: inRun } = await sd.generate(run);
      expect(inRun).toMatchObject([{ code: 'defaults-differ' }]);
      expect(await settingsOf(sd)).toEqual(['TCD', 4, 1]);
      await sd.detach('tcd');
      expect(await settingsOf(sd)).toEqual(['TCD', 1, 1]);
      expect((await sd.generate(run)).warnings).toEqual([]);
    });
  });

  test('counts for runs that were requested before it was attached, and wait for it', async () => {
    await using(loadPipeline(fixture('models/sd1')), async (sd) => {
      const attaching = sd.attach(adapterNamed('later-lcm.safetensors', loras.sd1));
      const drawing = settingsOf(sd);
      await attaching;
      expect(await drawing).toEqual(['LCM', 4, 1]);
    });
  });
});

describe('models with EDM’s preconditioning', () => {
  test.each([
    [
      'cosxl',
      {
        _class_name: 'EDMEulerScheduler',
        sigma_max: 120,
        sigma_data: 1,
        prediction_type: 'v_prediction',
        sigma_schedule: 'exponential',
      },
      7.5,
    ],
    ['playground', { _class_name: 'EDMDPMSolverMultistepScheduler' }, 3],
  ] as const)('%s, from a folder', async (name, scheduler, guidanceScale) => {
    const folder = modelNamed(`edm-${name}`, 'sdxl', scheduler);
    await using(loadPipeline(folder), async (sd) => {
      const got = await latentsOf(sd, { prompt: run.prompt, steps: 4, guidanceScale });
      expect(relativeError(got, golden(name).data)).toBeLessThan(1e-3);
    });
  });
});

test.each([
  [
    'sdxl_lightning_4step',
    'sdxl',
    {
      distillation: 'SDXL-Lightning',
      steps: 4,
      guidanceScale: 1,
      sampler: 'EulerDiscreteScheduler',
      spacing: 'trailing',
    },
  ],
])('inspect() tells the defaults of %s', async (name, model, details) => {
  expect(await inspect(modelNamed(`inspected/${name}`, model))).toMatchObject({ details });
});
