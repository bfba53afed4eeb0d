import { expect, test } from 'vitest';
import { readGolden, sd2 } from '../../../../fixtures/golden.js';
import { loadPipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

test('a whole run of SD 2 matches diffusers: v-prediction, zero terminal SNR, trailing DDIM, guidance rescale', async () => {
  const sd = await loadPipeline(sd2);
  try {
    const run = { ...road, width: 96, height: 64, steps: 6, guidanceRescale: 0.7 };
    const golden = readGolden('golden.safetensors', sd2);
    const { latents, colours } = await compareRun(sd, golden, 'run', run, { row: 'sd2' });
    expect(latents).toBeLessThan(1e-3);
    expect(colours).toBeLessThanOrEqual(1);
  } finally {
    await sd.dispose();
  }
});
