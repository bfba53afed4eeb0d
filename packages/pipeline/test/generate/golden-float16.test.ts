import { createNodeBackend } from '@sd/backend-node';
import { afterAll, expect, test } from 'vitest';
import { readGolden, sd1 } from '../../../../fixtures/golden.js';
import { rgbOf } from '../../../image/test/support.js';
import { loadPipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

const float32 = createNodeBackend({ threads: 1 });
const float16 = createNodeBackend({ threads: 1, float16: true });
afterAll(() => Promise.all([float32.dispose(), float16.dispose()]));

test('a PNDM run of SD 1 in half precision is close to diffusers in float32', async () => {
  const golden = readGolden('golden.safetensors', sd1);
  const sd = await loadPipeline(sd1, { backend: float16 });
  const run = { ...road, width: 96, height: 64, steps: 6 };
  const { latents, colours } = await compareRun(sd, golden, 'run', run);
  await sd.dispose();
  // Measured: 0.0186, with latents up to 17.
  expect(latents).toBeGreaterThan(1e-3);
  expect(latents).toBeLessThan(0.03);
  expect(colours).toBeLessThanOrEqual(1);
});

test('the embedded model generates nearly the same image in half precision', async () => {
  const run = { ...road, steps: 8, guidanceScale: 5 };
  const images: number[][] = [];
  for (const backend of [float32, float16]) {
    const sd = await loadPipeline(new URL('../../../model-tiny/model/', import.meta.url), { backend });
    const result = await sd.generate(run);
    await sd.dispose();
    images.push([...rgbOf(result.images[0])]);
  }
  // Measured: about 64 dB.
  expect(psnr(images[1], images[0])).toBeGreaterThan(55);
});

/** Peak signal-to-noise ratio of 8-bit colours, in decibels. */
function psnr(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  const error = got.reduce((sum, value, i) => sum + (value - want[i]) ** 2, 0) / want.length;
  return 10 * Math.log10(255 ** 2 / error);
}
