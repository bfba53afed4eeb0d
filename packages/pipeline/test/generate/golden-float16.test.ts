import { createNodeBackend } from '@sd/backend-node';
import { afterAll, expect, test } from 'vitest';
import { readGolden, sd1 } from '../../../../fixtures/golden.js';
import { rgbOf } from '../../../image/test/support.js';
import { loadPipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

const float32 = createNodeBackend({ threads: 1 });
const float16 = createNodeBackend({ threads: 1, float16: true });
afterAll(() => Promise.all([float32.dispose(), float16.dispose()]));

test('a PNDM run of SD 1 in half precision is near that of diffusers in float32', async () => {
  const golden = readGolden('golden.safetensors', sd1);
  const sd = await loadPipeline(sd1, { backend: float16 });
  const run = { ...road, width: 96, height: 64, steps: 6 };
  const { latents, colours } = await compareRun(sd, golden, 'run', run);
  await sd.dispose();
  // 0.0186 was measured, of latents up to 17.
  expect(latents).toBeGreaterThan(1e-3);
  expect(latents).toBeLessThan(0.03);
  expect(colours).toBeLessThanOrEqual(1);
});

test('the embedded model draws nearly the same picture in half precision', async () => {
  const run = { ...road, steps: 8, guidanceScale: 5 };
  const pictures: number[][] = [];
  for (const backend of [float32, float16]) {
    const sd = await loadPipeline(new URL('../../../model-tiny/model/', import.meta.url), { backend });
    const { images } = await sd.generate(run);
    await sd.dispose();
    pictures.push([...rgbOf(images[0]!)]);
  }
  // Some 64 dB were measured.
  expect(psnr(pictures[1]!, pictures[0]!)).toBeGreaterThan(55);
});

/** Peak signal to noise of 8-bit colours, in decibels. */
function psnr(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  const error = got.reduce((sum, value, i) => sum + (value - want[i]!) ** 2, 0) / want.length;
  return 10 * Math.log10(255 ** 2 / error);
}
