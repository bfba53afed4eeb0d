import { expect, test } from 'vitest';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadPipeline } from '../src/index.js';
import { compareRun, road } from './start-support.js';

const folder = fixture('models/sdxl');

test('a whole run of SDXL is that of diffusers: two text encoders, pooled text, sizes', async () => {
  const sd = await loadPipeline(folder);
  try {
    expect(sd.warnings.filter(({ code }) => code !== 'part-skipped')).toEqual([]);
    const run = { ...road, width: 96, height: 64, steps: 6 };
    const { latents, colours } = await compareRun(sd, readGolden('golden.safetensors', folder), 'run', run, {
      levels: sd.stages.scheduler.plan(6).levels,
    });
    expect(latents).toBeLessThan(1e-3);
    expect(colours).toBeLessThanOrEqual(1);
  } finally {
    await sd.dispose();
  }
});
