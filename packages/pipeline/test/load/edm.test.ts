import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openFolder } from '@sd/backend-node';
import { CheckpointError } from '@sd/core';
import { openSafetensors, type TensorToWrite, writeSafetensors } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { largestDifference, rgbOf } from '../../../image/test/support.js';
import { inspect, loadPipeline } from '../../src/index.js';
import { edited, filesOf, rgbOfUnit, sourceOf, using } from '../support.js';

const golden = readGolden('few-step.safetensors', fileURLToPath(new URL('../data', import.meta.url)));
const temporary = mkdtempSync(path.join(tmpdir(), 'edm-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const run = {
  prompt: 'a blue car on a road',
  negativePrompt: 'pixel art',
  width: 96,
  height: 64,
  steps: 4,
  seed: 42,
} as const;
const scheduler = 'scheduler/scheduler_config.json';
const mean = [-1.6574, 1.886, -1.383, 2.5155];
const deviation = [8.4927, 5.9022, 6.5498, 5.2299];

/** The small SDXL checkpoint in one file, with further tensors. */
async function fileWith(name: string, markers: Readonly<Record<string, readonly number[]>>): Promise<string> {
  const source = await openFolder(fixture('adapters/single-file'));
  const { tensors } = await openSafetensors(source, 'sdxl.safetensors');
  const bytes = await source.read('sdxl.safetensors');
  const stored = [...tensors.values()].map(
    ({ offset, length, ...view }): TensorToWrite => ({ ...view, bytes: () => bytes.subarray(offset, offset + length) }),
  );
  const extra = Object.entries(markers).map(([marker, values]): TensorToWrite => {
    const shape = values.length === 1 ? [] : [1, values.length, 1, 1];
    return { name: marker, dtype: 'F32', shape, bytes: () => new Uint8Array(Float32Array.from(values).buffer) };
  });
  const file = path.join(temporary, `${name}.safetensors`);
  await writeFile(file, writeSafetensors([...stored, ...extra]));
  return file;
}

/** The small model's configs and tokenizers, without its scheduler. */
async function settings() {
  const files = await filesOf(fixture('models/sdxl'));
  return sourceOf(new Map([...files].filter(([name]) => !/^(scheduler\/|model_index)/.test(name))));
}

describe('a file with the sigmas of CosXL', () => {
  const markers = { 'edm_vpred.sigma_max': [120], 'edm_vpred.sigma_min': [0.002] };

  test('draws as in diffusers', async () => {
    const file = await fileWith('cosxl', markers);
    await using(loadPipeline(file, { config: await settings() }), async (sd) => {
      const { latents } = await sd.generate({ ...run, output: 'latents' });
      expect(relativeError(latents!.data, golden('cosxl').data)).toBeLessThan(1e-3);
      expect(sd.warnings.filter(({ code }) => code === 'unused-tensors')).toEqual([]);
    });
    expect(await inspect(file)).toMatchObject({ details: { sampler: 'EDMEulerScheduler', guidanceScale: 7.5 } });
  });

  test('must have numbers in them', async () => {
    const file = await fileWith('damaged', { ...markers, 'edm_vpred.sigma_max': [Number.NaN] });
    await expect(loadPipeline(file, { config: await settings() })).rejects.toThrow(CheckpointError);
  });

  test('is an ordinary model if the caller says so', async () => {
    const file = await fileWith('plain', markers);
    await using(loadPipeline(file, { config: await settings(), prediction: 'epsilon' }), async (sd) => {
      expect(sd.stages.scheduler).toMatchObject({ prediction: 'epsilon', name: 'Euler' });
    });
  });
});

describe('Playground v2.5, with the statistics of its latents', () => {
  const expectImage = async (loading: ReturnType<typeof loadPipeline>) =>
    using(loading, async (sd) => {
      // Its guidance scale is 3 by default.
      const { images } = await sd.generate(run);
      expect(largestDifference(rgbOf(images[0]), rgbOfUnit(unit))).toBeLessThanOrEqual(1);
    });
  const { dims, data } = golden('playground-image');
  const unit = { type: 'float32', dims: [1, ...dims], data } as const;

  test('draws as in diffusers from a folder', async () => {
    let files = await filesOf(fixture('models/sdxl'));
    files = edited(files, 'vae/config.json', { scaling_factor: 0.5, latents_mean: mean, latents_std: deviation });
    files = new Map(files).set(
      scheduler,
      new TextEncoder().encode(JSON.stringify({ _class_name: 'EDMDPMSolverMultistepScheduler' })),
    );
    files = edited(files, 'model_index.json', { scheduler: ['diffusers', 'EDMDPMSolverMultistepScheduler'] });
    await expectImage(loadPipeline(sourceOf(files)));
  });

  test('draws as in diffusers from one file, which has them as tensors', async () => {
    const file = await fileWith('playground', { edm_mean: mean, edm_std: deviation });
    await expectImage(loadPipeline(file, { config: await settings() }));
    const details = { sampler: 'EDMDPMSolverMultistepScheduler', guidanceScale: 3, steps: 20 };
    expect(await inspect(file)).toMatchObject({ kind: 'pipeline', details });
  });
});
