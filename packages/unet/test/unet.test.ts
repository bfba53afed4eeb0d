import { DisposedError, type NoisePredictorInput, TensorError, tensor, torchCpu } from '@sd/core';
import { mockNoisePredictor, noisePredictorSuite } from '@sd/core/testing';
import { describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { golden, input, only, unetIn } from './unet.js';

test.each([
  ...noisePredictorSuite({ create: () => unetIn(), contextWidth: 32 }).map((c) => ({ ...c, stage: 'the checkpoint' })),
  ...noisePredictorSuite({ create: () => mockNoisePredictor(), contextWidth: 32 }).map((c) => ({
    ...c,
    stage: 'the mock',
  })),
])('conformance of $stage: $name', ({ run }) => run());

test('a batch of two equals two single runs', async () => {
  const unet = await unetIn();
  const { sample, context } = input(500);
  const both = await unet.predict(input(500));
  for (const i of [0, 1]) {
    const alone = await unet.predict({ sample: only(sample, i), timestep: 500, context: only(context, i) });
    expect(alone.dims).toEqual([1, 4, 8, 12]);
    expect(relativeError(alone.data, only(both, i).data)).toBeLessThan(1e-6);
  }
  await unet.dispose?.();
});

test.each([
  [1, 9, 7],
  [2, 5, 3],
  [1, 1, 1],
  [2, 1, 16],
])('%i latents of %i x %i, any number of tokens', async (n, height, width) => {
  const unet = await unetIn();
  const noise = torchCpu(0).randn(n * 4 * height * width);
  const context = tensor('float32', [n, 3, 32], torchCpu(1).randn(n * 3 * 32));
  const sample = tensor('float32', [n, 4, height, width], noise);
  const both = await unet.predict({ sample, timestep: 20, context });
  expect(both.dims).toEqual([n, 4, height, width]);
  for (let i = 0; i < n; i++) {
    const alone = await unet.predict({ sample: only(sample, i), timestep: 20, context: only(context, i) });
    expect(relativeError(alone.data, only(both, i).data)).toBeLessThan(1e-6);
  }
  await unet.dispose?.();
});

test('a timestep between two steps gives what lies between', async () => {
  const unet = await unetIn();
  const [before, between, after] = await Promise.all([500, 500.5, 501].map((t) => unet.predict(input(t))));
  await unet.dispose?.();
  const average = before.data.map((value, i) => (value + after.data[i]) / 2);
  const step = relativeError(after.data, before.data);
  expect(step).toBeGreaterThan(1e-4);
  expect(relativeError(between.data, average)).toBeLessThan(step / 10);
});

describe('refuses', () => {
  const wrong: [string, Partial<NoisePredictorInput>, RegExp][] = [
    [
      'other channels',
      { sample: tensor('float32', [2, 3, 8, 12]) },
      /sample must be float32 \[\*, 4, \*, \*\], not float32 \[2, 3, 8, 12\]/,
    ],
    [
      'a context of another width',
      { context: tensor('float32', [2, 77, 48]) },
      /context must be float32 \[2, \*, 32\]/,
    ],
    ['a context for one of two', { context: only(golden('unet.context'), 0) }, /context must be float32 \[2, \*, 32\]/],
  ];
  test.each(wrong)('%s', async (_, change, message) => {
    const unet = await unetIn();
    const run = unet.predict({ ...input(1), ...change });
    await expect(run).rejects.toThrow(TensorError);
    await expect(run).rejects.toThrow(message);
    await unet.dispose?.();
  });

  test('anything after dispose, but not after release', async () => {
    const unet = await unetIn();
    await unet.load?.();
    await unet.release?.();
    expect((await unet.predict(input(1))).dims).toEqual([2, 4, 8, 12]);
    await unet.dispose?.();
    await expect(unet.predict(input(1))).rejects.toBeInstanceOf(DisposedError);
  });
});
