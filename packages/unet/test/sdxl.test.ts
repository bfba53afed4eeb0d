import { type NoisePredictorInput, TensorError, tensor } from '@sd/core';
import { noisePredictorSuite } from '@sd/core/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import type { CheckpointUnet } from '../src/index.js';
import { unetIn } from './unet.js';

const folder = fixture('models/sdxl');
const golden = readGolden('golden.safetensors', folder);

const input = (timestep: number, conditions: NoisePredictorInput['conditions']): NoisePredictorInput => ({
  sample: golden('unet.sample'),
  timestep,
  context: golden('unet.context'),
  conditions,
});
const added = { text_embeds: golden('unet.text_embeds'), time_ids: golden('unet.time_ids') };

let unet: CheckpointUnet;
beforeAll(async () => {
  unet = await unetIn(folder);
  return () => unet.dispose?.();
});

test.each([1, 500, 999])('the same outputs as diffusers at t = %i', async (t) => {
  const { dims, data } = await unet.predict(input(t, added));
  const want = golden(`unet.out.t${t}`);
  expect(dims).toEqual(want.dims);
  expect(stageError('sdxl', data, want.data)).toBeLessThan(1e-5);
  expect(unet.unusedTensors).toEqual([]);
});

test.each(
  noisePredictorSuite({
    create: () => unetIn(folder),
    contextWidth: 80,
    conditions: (batch) => ({ text_embeds: tensor('float32', [batch, 40]), time_ids: tensor('float32', [batch, 6]) }),
  }),
)('conformance: $name', ({ run }) => run());

test.each([1, 500, 999])('the refiner’s at t = %i, with five numbers', async (t) => {
  const refiner = fixture('models/sdxl-refiner');
  const figures = readGolden('golden.safetensors', refiner);
  const refinerUnet = await unetIn(refiner);
  const conditions = { text_embeds: figures('unet.text_embeds'), time_ids: figures('unet.time_ids') };
  const { data } = await refinerUnet.predict({
    sample: figures('unet.sample'),
    timestep: t,
    context: figures('unet.context'),
    conditions,
  });
  await refinerUnet.dispose?.();
  expect(stageError('sdxl-refiner', data, figures(`unet.out.t${t}`).data)).toBeLessThan(1e-5);
  expect(refinerUnet.unusedTensors).toEqual([]);
});

describe('the added embedding', () => {
  test('is listed in needs', () => {
    expect(unet.needs).toMatchObject([
      { name: 'text_embeds', dims: ['batch', 'pooled'] },
      { name: 'time_ids', dims: ['batch', 'numbers'] },
    ]);
  });

  test('is required', async () => {
    const run = unet.predict(input(1, { text_embeds: added.text_embeds }));
    await expect(run).rejects.toThrow('The unet needs time_ids, float32 [batch, numbers].');
  });

  test('must have the model’s width: five numbers instead of six do not', async () => {
    const run = unet.predict(input(1, { ...added, time_ids: tensor('float32', [2, 5]) }));
    await expect(run).rejects.toBeInstanceOf(TensorError);
    await expect(run).rejects.toThrow(
      'width 88 together, but text_embeds of width 40 and 5 time_ids of 8 each make 80. SDXL has 6 time_ids, its refiner 5.',
    );
  });
});
