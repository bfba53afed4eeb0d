import { AbortError, DisposedError, TensorError, tensor, torchCpu } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { mockVae, vaeSuite } from '../src/testing.js';
import { golden, latents, only, vaeIn } from './vae.js';

test.each([
  ...vaeSuite({ create: () => vaeIn() }).map((c) => ({ ...c, stage: 'the checkpoint' })),
  ...vaeSuite({ create: () => mockVae() }).map((c) => ({ ...c, stage: 'the mock' })),
])('conformance of $stage: $name', ({ run }) => run());

test('a batch of two equals two single runs, encoding and decoding', async () => {
  const vae = await vaeIn();
  const [image, coded] = [await vae.decode(latents), await vae.encode(golden('vae.image'))];
  for (const i of [0, 1]) {
    const alone = await vae.decode(only(latents, i));
    expect(alone.dims).toEqual([1, 3, 64, 96]);
    expect(relativeError(alone.data, only(image, i).data)).toBeLessThan(1e-6);
    const { mean, std } = await vae.encode(only(golden('vae.image'), i));
    expect(relativeError(mean.data, only(coded.mean, i).data)).toBeLessThan(1e-6);
    expect(relativeError(std!.data, only(coded.std!, i).data)).toBeLessThan(1e-6);
  }
  await vae.dispose?.();
});

test.each([
  [1, 9, 7],
  [2, 3, 5],
  [1, 1, 1],
])('%i latents of %i x %i', async (n, height, width) => {
  const vae = await vaeIn();
  const noise = tensor('float32', [n, 4, height, width], torchCpu(0).randn(n * 4 * height * width));
  const image = await vae.decode(noise);
  expect(image.dims).toEqual([n, 3, 8 * height, 8 * width]);
  const { mean } = await vae.encode(image);
  expect(mean.dims).toEqual(noise.dims);
  for (let i = 0; i < n; i++) {
    expect(relativeError((await vae.decode(only(noise, i))).data, only(image, i).data)).toBeLessThan(1e-6);
  }
  await vae.dispose?.();
});

describe('refuses', () => {
  test('other channels', async () => {
    const vae = await vaeIn();
    const wrong = tensor('float32', [1, 3, 8, 8]);
    await expect(vae.decode(wrong)).rejects.toThrow(TensorError);
    await expect(vae.decode(wrong)).rejects.toThrow(/latents must be float32 \[\*, 4, \*, \*\]/);
    const gray = tensor('float32', [1, 1, 64, 64]);
    await expect(vae.encode(gray)).rejects.toThrow(/image must be float32 \[\*, 3, \*, \*\]/);
    await vae.dispose?.();
  });

  test('an aborted run', async () => {
    const vae = await vaeIn();
    const signal = AbortSignal.abort();
    await expect(vae.encode(golden('vae.image'), { signal })).rejects.toBeInstanceOf(AbortError);
    expect((await vae.encode(golden('vae.image'))).mean.dims).toEqual([2, 4, 8, 12]);
    await vae.dispose?.();
  });

  test('anything after dispose, but not after release', async () => {
    const vae = await vaeIn();
    await vae.load?.();
    await vae.release?.();
    expect((await vae.decode(latents)).dims).toEqual([2, 3, 64, 96]);
    await vae.dispose?.();
    await expect(vae.decode(latents)).rejects.toBeInstanceOf(DisposedError);
    await expect(vae.encode(golden('vae.image'))).rejects.toBeInstanceOf(DisposedError);
  });
});
