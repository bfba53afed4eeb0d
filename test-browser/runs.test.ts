import type { WebProvider } from '@sd/backend-web';
import type { Backend } from '@sd/core';
import { readImage } from '@sd/image';
import { loadPipeline, type StepEvent } from '@sd/pipeline';
import { openUrl } from '@sd/source';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendOn, providers } from './backends.js';
import { openSd1, readFigures } from './sd1.js';

const source = await openSd1();
const golden = await readFigures(source, 'golden.safetensors');
const embedded = await openUrl(new URL('../packages/model-tiny/model/', import.meta.url), { cache: false });
const fromNode = await readImage(await bytesOf(new URL('data/model-tiny.png', import.meta.url)));

describe.each(providers)('whole runs on %s', (provider) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await backendOn(provider);
  });
  afterAll(() => backend?.dispose());

  test('a PNDM run of SD 1 matches diffusers: latents after every step, and the image', async () => {
    const sd = await loadPipeline(source, { backend });
    const steps: StepEvent[] = [];
    const { images } = await sd.generate({
      prompt: 'a blue car on a road',
      negativePrompt: 'pixel art',
      width: 96,
      height: 64,
      steps: 6,
      guidanceScale: 7.5,
      seed: 42,
      onStep: (step) => void steps.push(step),
    });
    await sd.dispose();
    expect(steps).toHaveLength(7);
    for (const { step, latents } of steps) {
      expect(latents.dims).toEqual(golden(`run.latents.${step}`).dims);
      expect(largestDifference(latents.data, golden(`run.latents.${step}`).data)).toBeLessThan(1e-3);
    }
    const want = golden('run.image');
    const size = want.dims[2] * want.dims[3];
    const colours = rgbOf(images[0]);
    const planes = colours.map((_, i) => colours[(i % size) * 3 + Math.floor(i / size)]);
    expect(
      largestDifference(
        planes,
        want.data.map((value) => Math.round(value * 255)),
      ),
    ).toBeLessThanOrEqual(1);
  });
});

test('the embedded model draws on wasm what it draws in Node', async () => {
  expect(psnr(rgbOf(await drawEmbedded('wasm', 4)), rgbOf(fromNode))).toBeGreaterThan(50);
});

// One step: the software adapter takes about a minute for each.
test('the embedded model draws on webgpu what it draws on wasm', async () => {
  const [wasm, webgpu] = [await drawEmbedded('wasm', 1), await drawEmbedded('webgpu', 1)];
  expect(psnr(rgbOf(webgpu), rgbOf(wasm))).toBeGreaterThan(50);
});

async function drawEmbedded(provider: WebProvider, steps: number) {
  const backend = await backendOn(provider);
  const sd = await loadPipeline(embedded, { backend });
  const { images } = await sd.generate({ prompt: 'a blue car on a road', steps, guidanceScale: 5, seed: 1 });
  await sd.dispose();
  await backend.dispose();
  return images[0];
}

async function bytesOf(url: URL): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** An image's colors, without alpha. */
function rgbOf({ data }: { readonly data: ArrayLike<number> }): number[] {
  return Array.from(data).filter((_, i) => i % 4 !== 3);
}

function largestDifference(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  return Array.from(got).reduce((largest, value, i) => Math.max(largest, Math.abs(value - want[i])), 0);
}

/** Peak signal to noise of 8-bit colors, in decibels; infinite where they are equal. */
function psnr(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got.length).toBe(want.length);
  const error = Array.from(got).reduce((sum, value, i) => sum + (value - want[i]) ** 2, 0) / want.length;
  return 10 * Math.log10(255 ** 2 / error);
}
